/** What a failure means at the counter: what happened, what is safe, what to press. */

import { OfflineError } from "../kiosk/api.js";

const SERVER_ERRORS = 500;

/** Whether nobody knows if the request had an effect; the same request may be sent again safely. */
export const isUnknown = (error) => error instanceof OfflineError || (error.status >= SERVER_ERRORS && error.code !== "database_unavailable");

/** Whether the order can no longer be paid here, whatever is pressed. */
export const isOver = (error) => ["invalid_transition", "already_paid", "not_found"].includes(error.code);

/** @returns {string} a sentence for the cashier */
export function explainPayment(error) {
  if (isUnknown(error)) return "Sem resposta: não sabemos se foi registrado. Não peça o dinheiro outra vez. “Tentar de novo” é seguro: não recebe duas vezes.";
  if (error.code === "already_paid") return "Este pedido já foi pago ou encerrado. Não receba; se o dinheiro está na mão, devolva.";
  if (error.code === "not_found") return "Este pedido não está mais esperando aqui. Não receba; se o dinheiro está na mão, devolva.";
  if (isOver(error)) return `${error.message} Se o dinheiro está na mão, devolva.`;
  if (error.status === 429 || error.status === 503) return "O servidor está ocupado e nada foi registrado. Espere um instante e tente de novo.";
  return error.message || "Não deu certo e nada foi registrado. Tente de novo.";
}

/** @returns {string} for a change that is not about money */
export function explainChange(error) {
  if (isUnknown(error)) return "Sem resposta do servidor. Tente de novo: repetir é seguro.";
  if (error.code === "invalid_transition" || error.code === "not_found") return "Outra pessoa já mexeu neste pedido.";
  return error.message || "Não deu certo: nada mudou. Tente de novo.";
}
