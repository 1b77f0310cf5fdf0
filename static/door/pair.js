/** Pairs this browser with a store by the code from the back office, then loads the page it came for. */

const TEXTS = {
  empty: "Digite o código.",
  wrong: "Este código não vale. Confira as letras e números, ou gere um novo.",
  tooMany: "Muitas tentativas. Espere alguns minutos e gere um código novo.",
  offline: "Sem conexão com o servidor. Confira a rede e tente de novo.",
  other: "Não deu para conectar agora. Tente de novo em instantes.",
};

const form = document.getElementById("pair");
const field = form.elements.code;
const error = document.getElementById("pair-error");
const submit = form.querySelector("button");

function complain(text) {
  error.textContent = text;
  field.setAttribute("aria-invalid", "true");
  field.focus();
}

function reasonOf({ status }) {
  if (status === 429) return TEXTS.tooMany;
  if (status >= 500) return TEXTS.other;
  return TEXTS.wrong;
}

async function pair(code) {
  let response;
  try {
    response = await fetch(`${document.body.dataset.apiBase}/devices/pair`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": form.elements.csrfmiddlewaretoken.value },
      credentials: "same-origin",
      body: JSON.stringify({ code }),
    });
  } catch {
    complain(TEXTS.offline);
    return;
  }
  if (response.ok) window.location.reload();
  else complain(reasonOf(response));
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const code = field.value.trim();
  if (!code) {
    complain(TEXTS.empty);
    return;
  }
  submit.disabled = true;
  await pair(code);
  submit.disabled = false;
});
