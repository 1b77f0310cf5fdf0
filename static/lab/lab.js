/** The proving room: asks for the figures once a second, says in words how they stand, and breaks things on request. */

import { csrfToken } from "../live/csrf.js";

const LOOK_MS = 1_000;
const LINES_KEPT = 12;
const SLOW_BOARD_S = 10;
const SLOW_ANSWER_MS = 500;
const HELD_UP_S = 20;
const PULSE_HEIGHT = 24;
const PULSE_WIDTH = 90;
const NAMES = { valkey: "Valkey", worker: "Worker" };
const SPELLS = { silence: "O Mercado Pago está calado", lost: "Os webhooks se perdem", cut: "O totem está sem rede" };
const PASSED = { silence: "o Mercado Pago responde de novo", lost: "os webhooks chegam de novo", cut: "o totem tem rede de novo" };
const PHASES = { running: "em andamento", settling: "atendendo os últimos", checking: "conferindo os livros" };

const money = new Intl.NumberFormat("pt-BR", { style: "currency", currency: "BRL" });
const number = new Intl.NumberFormat("pt-BR", { maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat("pt-BR", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

const form = document.getElementById("start");
const log = document.getElementById("log");
let before = null;
const killedAt = {};

function show(id, value, detail, state = "") {
  const card = document.getElementById(id);
  card.querySelector("[data-value]").textContent = value;
  card.querySelector("[data-detail]").textContent = detail;
  card.dataset.state = state;
}

function say(text) {
  log.querySelector(".log-empty")?.remove();
  const line = document.createElement("p");
  const time = document.createElement("time");
  time.textContent = clock.format(new Date());
  line.append(time, text);
  log.prepend(line);
  while (log.children.length > LINES_KEPT) log.lastElementChild.remove();
}

const some = (count, one, many) => `${number.format(count)} ${count === 1 ? one : many}`;

function drawOrders({ placed = 0, paid = 0, served = 0, per_second: perSecond = [] }) {
  show("orders", number.format(placed), placed ? `${some(paid, "pago", "pagos")}, ${some(served, "entregue", "entregues")}` : "nenhum ainda");
  const top = Math.max(...perSecond, 1);
  const begin = PULSE_WIDTH - perSecond.length;
  const points = perSecond.map((count, place) => `L${begin + place} ${PULSE_HEIGHT - (PULSE_HEIGHT - 2) * (count / top)}`);
  const line = points.length ? `M${begin} ${PULSE_HEIGHT} ${points.join(" ")} L${PULSE_WIDTH} ${PULSE_HEIGHT} Z` : "";
  document.querySelector("[data-pulse]").setAttribute("d", line);
}

function drawMoney(told, rush) {
  const { waiting = 0 } = rush;
  if (!told) return show("money", "?", "o provedor não responde agora; nada se perde por isso", "wait");
  if (!rush.placed) return show("money", money.format(0), "nada recebido ainda");
  if (told.equal) return show("money", money.format(told.here), "igual ao centavo, dos dois lados", "good");
  const way = Math.abs(Number(told.there) - Number(told.here));
  return show("money", money.format(told.here), `${money.format(way)} a caminho, de ${some(waiting, "pagamento", "pagamentos")}`, "wait");
}

function drawRest({ rush, stock, audit }) {
  const { without_order: without = 0, waiting = 0, longest_wait_s: longest = 0, problems = 0 } = rush;
  const { board_p50_s: middle, board_p95_s: slow, answer_p95_ms: answer, requests_per_second: rate = 0 } = rush;
  const onTheWay = waiting ? `${some(waiting, "a caminho", "a caminho")}, há ${number.format(longest)} s no máximo` : "ninguém espera";
  show("without", number.format(without), without ? "há mais de um minuto" : onTheWay, without ? "bad" : longest > HELD_UP_S ? "wait" : "good");
  if (slow == null) show("board", "0 s", "P95 dos últimos cem");
  else show("board", `${number.format(slow)} s`, `P95; a metade em ${number.format(middle)} s`, slow > SLOW_BOARD_S ? "wait" : "good");
  if (audit) {
    const broken = audit.broken.length;
    show("audit", `${audit.rules - broken} de ${audit.rules}`, broken ? `quebradas: ${audit.broken.join(", ")}` : "todas valem", broken ? "bad" : "good");
  }
  const soldOut = stock.sold_out ? some(stock.sold_out, "item esgotado agora", "itens esgotados agora") : "nada esgotado";
  show("stock", number.format(stock.oversold), soldOut, stock.oversold ? "bad" : "good");
  if (answer == null) show("answer", "0 ms", "P95 das respostas");
  else show("answer", `${number.format(Math.round(answer))} ms`, `P95; ${number.format(rate)} chamadas por segundo`, answer > SLOW_ANSWER_MS ? "wait" : "good");
  show("problems", number.format(problems), problems ? "veja o relatório" : "nenhum", problems ? "bad" : "good");
}

function drawTroubles({ running, processes, troubles, cut_kiosk: kiosk }) {
  for (const button of document.querySelectorAll("[data-trouble]")) {
    const kind = button.dataset.trouble;
    const process = kind in NAMES;
    const left = troubles[kind] ?? 0;
    const isOn = process ? processes[kind] == null : left > 0;
    button.classList.toggle("is-on", isOn);
    button.disabled = isOn || (!running && (kind === "lost" || kind === "cut"));
    const now = button.querySelector("[data-now]");
    if (process) now.textContent = isOn ? "fora do ar, voltando…" : "no ar";
    else if (isOn) now.textContent = `${kind === "cut" ? `totem ${kiosk + 1}: ` : ""}mais ${Math.ceil(left)} s`;
    else now.textContent = "";
  }
}

/** Puts into the log what has changed since the last look. */
function tell(now) {
  if (before === null) return;
  for (const [kind, name] of Object.entries(NAMES)) {
    const pid = now.processes[kind];
    if (pid !== before.processes[kind] && pid != null) {
      const took = killedAt[kind] ? ` em ${number.format((Date.now() - killedAt[kind]) / 1000)} s` : "";
      say(`${name} de volta${took}, sozinho.`);
      delete killedAt[kind];
    }
  }
  for (const [kind, text] of Object.entries(SPELLS)) {
    if (now.troubles[kind] > 0 && !(before.troubles[kind] > 0)) say(`${text} por 10 s${kind === "cut" ? ` (totem ${now.cut_kiosk + 1})` : ""}.`);
    if (!(now.troubles[kind] > 0) && before.troubles[kind] > 0) say(`Passou: ${PASSED[kind]}.`);
  }
  if (now.running && !before.running) say("O movimento começou.");
  if (!now.running && before.running) say(now.rush.summary?.right ? "O movimento acabou: tudo certo, nos livros também." : "O movimento acabou.");
}

function judge({ running, rush, audit, troubles, processes, money: told }) {
  const { summary, phase } = rush;
  const broken = audit?.broken.length || rush.without_order;
  if (broken) return ["bad", "Há algo errado", "Uma regra não vale: veja abaixo."];
  if (running) {
    const held = Object.values(troubles).some((left) => left > 0) || Object.values(processes).includes(null) || rush.longest_wait_s > HELD_UP_S;
    if (held || !told) return ["wait", "Aguentando", "Algo está quebrado; os pedidos seguem."];
    return ["good", "Tudo no lugar", PHASES[phase] ? `Movimento ${PHASES[phase]}.` : "Começando…"];
  }
  if (summary && phase === "done") {
    if (summary.right) return ["good", "Tudo certo", `${number.format(summary.orders)} pedidos, todos conferidos, ${money.format(summary.here)} dos dois lados.`];
    const lost = summary.complaints.length || summary.broken_rules.length;
    if (!lost) return ["wait", "Nada se perdeu", "Mas alguém ficou sem resposta: veja o relatório."];
    return ["bad", "Há algo errado", "Veja o relatório."];
  }
  return ["idle", "Tudo parado", "Comece um movimento."];
}

function draw(now) {
  const { rush, running } = now;
  drawOrders(rush);
  drawMoney(now.money, rush);
  drawRest(now);
  drawTroubles(now);
  tell(now);
  const [state, title, detail] = judge(now);
  const verdict = document.getElementById("verdict");
  if (verdict.dataset.state !== state || verdict.querySelector("[data-verdict-detail]").textContent !== detail) {
    verdict.dataset.state = state;
    verdict.querySelector("[data-verdict]").textContent = title;
    verdict.querySelector("[data-verdict-detail]").textContent = detail;
  }
  document.getElementById("begin").disabled = running;
  document.getElementById("end").disabled = !running || rush.phase !== "running";
  document.getElementById("report").hidden = running || !now.report;
  const part = running && rush.minutes ? `${number.format(Math.min(rush.elapsed_s, rush.minutes * 60))} de ${number.format(rush.minutes * 60)} s, ${rush.kiosks} totens` : "";
  document.querySelector("[data-figure=progress]").textContent = part;
  before = now;
}

async function look() {
  try {
    const answer = await fetch(document.body.dataset.figures, { cache: "no-store" });
    if (answer.ok) draw(await answer.json());
  } catch {
    // The shop is starting again; the next look will tell.
  }
  setTimeout(look, LOOK_MS);
}

/** @returns {Promise<boolean>} whether it was done; a refusal is told in the log */
async function post(url, body) {
  let answer;
  try {
    answer = await fetch(url, { method: "POST", body, headers: { "X-CSRFToken": csrfToken() } });
  } catch {
    say("Sem resposta; tente de novo.");
    return false;
  }
  if (answer.ok) return true;
  const { detail } = await answer.json().catch(() => ({}));
  say(detail ?? "Não foi possível agora.");
  return false;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  document.getElementById("begin").disabled = true;
  await post(form.action, new FormData(form));
});

for (const button of document.querySelectorAll("[data-post]")) {
  button.addEventListener("click", async () => {
    const kind = button.dataset.trouble;
    button.disabled = true;
    if (kind in NAMES) killedAt[kind] = Date.now();
    if ((await post(button.dataset.post)) && kind in NAMES) say(`${NAMES[kind]} morto.`);
  });
}

look();
