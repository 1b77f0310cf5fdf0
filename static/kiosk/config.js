/** What the page tells the app, read once from the data attributes of <body>. */

const { dataset } = document.body;

export const config = Object.freeze({
  apiBase: dataset.apiBase,
  menuStream: dataset.menuStream,
  storeName: dataset.storeName,
  logo: dataset.logo,
  fallbackImage: dataset.fallbackImage,
  idleMs: Number(dataset.idleSeconds) * 1000,
  /** For whom this page speaks: the kiosk it is paired as, or the person signed in. */
  deviceKind: dataset.deviceKind ?? "kiosk",
  /** The store whose menu is shown; a device has its own. */
  store: dataset.store ?? "",
  /** The store an order is for, when whoever places it has to say so. */
  orderStore: document.getElementById("screen")?.dataset.orderStore ?? "",
});
