/** From one page of the counter to another by function key. */

const PAGES = { F2: "/caixa/", F4: "/caixa/pedido/", F8: "/caixa/turno/" };

/** @param {() => boolean} isBusy money is being taken, so the page stays */
export function goByKey(isBusy = () => false) {
  window.addEventListener("keydown", (event) => {
    const page = PAGES[event.key];
    if (!page) return;
    event.preventDefault();
    if (!isBusy()) window.location.assign(page);
  });
}
