/** One station's view of the board: its own items only, and where the rest of each order is made. */

const KEY = "breadmate.board.station";

export const chosenStation = () => localStorage.getItem(KEY) ?? "";

export function chooseStation(station) {
  localStorage.setItem(KEY, station);
}

const stationsOf = ({ dataset }) => dataset.stations.split(" ").filter(Boolean);

/** The items of a ticket that a station still has to make. */
export function toMakeAt(ticket, station) {
  return Array.from(ticket.querySelectorAll(".ticket-item"))
    .filter((item) => stationsOf(item).includes(station))
    .map((item) => item.querySelector("[data-item]"))
    .filter(({ dataset }) => dataset.state === "queued" || dataset.state === "started");
}

/** Shows what one station needs to see; an empty name stands for the whole kitchen. */
export function drawStation(board, station) {
  board.classList.toggle("is-one-station", station !== "");
  for (const ticket of board.querySelectorAll("[data-order]")) {
    const isHere = station === "" || stationsOf(ticket).includes(station);
    ticket.hidden = !isHere;
    for (const item of ticket.querySelectorAll(".ticket-item")) item.hidden = station !== "" && !stationsOf(item).includes(station);
    if (ticket.dataset.status === "cancelled") continue;
    for (const other of ticket.querySelectorAll("[data-also]")) other.hidden = other.dataset.also === station;
    const label = ticket.querySelector("[data-also-label]");
    if (label) label.textContent = station === "" ? "praças:" : "também em:";
    const isDoneHere = station !== "" && toMakeAt(ticket, station).length === 0;
    const isUnseen = ticket.querySelector(".ticket-item:not([hidden]) [data-seen]") !== null;
    ticket.classList.toggle("is-done-here", isDoneHere && !isUnseen);
    const move = ticket.querySelector("[data-move]");
    move.hidden = isDoneHere;
    move.querySelector("[data-move-label]").textContent = station === "" ? ticket.dataset.nextLabel : "Feito";
  }
  for (const section of board.querySelectorAll("[data-all-day]")) section.hidden = station !== "" && section.dataset.allDay !== station;
  for (const stage of board.querySelectorAll(".stage")) {
    stage.querySelector(".stage-count").textContent = stage.querySelectorAll('[data-order]:not([hidden], [data-status="cancelled"])').length || "";
  }
}
