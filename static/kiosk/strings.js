/** Every text of the kiosk, by language. A new language is one more table with the same keys. */

const TEXTS = {
  "pt-BR": {
    // attract
    "attract.headline": "Bateu a fome?",
    "attract.sub": "Peça aqui, pague com QR e retire no balcão.",
    "attract.start": "Toque para começar",
    "closed.title": "Fechado agora",
    "closed.opens": "Abrimos às {time}. Até já!",
    "closed.opensTomorrow": "Abrimos amanhã às {time}.",
    "closed.opensOn": "Abrimos {day} às {time}.",
    "closed.paused": "Pausamos os pedidos por instantes",
    "closed.back": "Voltamos às {time}. Se tiver pressa, chame um atendente.",
    "closed.kept": "Seu pedido está guardado, e nada foi cobrado.",
    "closed.leave": "Voltar ao início",
    "attract.loading": "Esquentando o forno…",
    "attract.noMenu": "O cardápio ainda está vazio",
    "attract.noMenuHint": "Assim que a loja cadastrar os produtos, eles aparecem aqui sozinhos.",

    // eat in or take out
    "dining.title": "Onde você vai comer?",
    "dining.eat_in": "Comer aqui",
    "dining.eat_in.hint": "Servido na bandeja",
    "dining.take_out": "Levar",
    "dining.take_out.hint": "Embalado para viagem",
    "dining.take_out.fee": "Embalagem: {amount}",

    // menu
    "menu.title": "O que vai ser hoje?",
    "menu.categories": "Categorias",
    "menu.soldOut": "Esgotado",
    "menu.soldOutUntil": "Volta às {time}",
    "menu.slow": "+{value} min",
    "menu.promo": "Por {value}",
    "menu.coming": "Sai às {time}",
    "menu.adults": "18+",
    "menu.adultsHint": "Só para maiores de 18 anos",
    "menu.cartEmpty": "Escolha o primeiro item",
    "menu.goneInCart": "Um item esgotou: reveja o pedido",
    "menu.review": "Ver pedido",
    "menu.restart": "Recomeçar",

    // product
    "product.choose.exactly": "Escolha {min}",
    "product.choose.between": "Escolha de {min} a {max}",
    "product.choose.upTo": "Até {max}, se quiser",
    "product.missing": "Falta escolher: {group}",
    "product.unavailable": "Esgotado",
    "product.gone": "Acabou de esgotar",
    "product.allergens": "Contém: {names}",
    "product.note": "Alguma observação?",
    "product.noteHint": "Ex.: bem passado, sem cebola",
    "product.noteLeft": "{n} letras restantes",
    "product.add": "Adicionar",
    "product.save": "Salvar",

    // cart
    "cart.title": "Seu pedido",
    "cart.empty": "Seu pedido está vazio",
    "cart.emptyHint": "Volte ao cardápio e toque no que der vontade.",
    "cart.items.one": "{n} item",
    "cart.items.other": "{n} itens",
    "cart.toMenu": "Ver cardápio",
    "cart.more": "Pedir mais",
    "cart.gone": "Esgotou. Tire este item para continuar.",
    "cart.goneChoice": "Uma escolha esgotou. Toque em “Alterar” e troque, ou tire o item.",
    "cart.edit": "Alterar",
    "cart.remove": "Tirar",
    "cart.note": "Obs.: {note}",
    "cart.subtotal": "Subtotal",
    "cart.packaging": "Embalagem para viagem",
    "cart.total": "Total",
    "cart.promise": "Pronto em cerca de {n} min",
    "cart.pay": "Pagar {total}",
    "cart.payPlain": "Pagar",
    "cart.placing": "Reservando seus itens…",
    "cart.retry": "Tentar de novo",

    // who is buying
    "identify.title": "Quer se identificar?",
    "identify.notice":
      "É opcional. Com seu CPF, este pedido entra no seu cadastro; ele não é usado para mais nada sem a sua permissão. Fica guardado com criptografia, não aparece inteiro em outras telas, e é apagado quando você pedir.",
    "identify.field": "Seu CPF",
    "identify.keypad": "Teclado de números",
    "identify.clear": "Limpar",
    "identify.erase": "Apagar o último número",
    "identify.skip": "Continuar sem identificar",
    "identify.continue": "Continuar com CPF",
    "identify.known": "CPF {cpf}",
    "identify.wrong": "Este CPF não confere. Veja se algum número ficou trocado.",
    "identify.again": "O tempo da identificação acabou. Digite o CPF de novo, ou continue sem ele.",
    "identify.tooMany": "Muitos CPFs foram digitados aqui há pouco. Continue sem identificar, por favor.",
    "identify.away": "Não deu para conferir o CPF agora. Tente de novo, ou continue sem ele.",
    "identify.offline": "Sem conexão para conferir o CPF. Seu pedido está guardado.",

    // what only staff may let go
    "release.title": "Um atendente vai conferir sua idade",
    "release.text": "Seu pedido tem bebida alcoólica. Aguarde aqui com um documento com foto: o pagamento abre sozinho.",
    "release.timeLeft": "Seus itens ficam reservados por",
    "release.keep": "Continuar esperando",
    "release.cancelText": "Nada foi cobrado. Você também pode mudar os itens e pedir sem a bebida.",
    "refused.title": "Não pudemos liberar a bebida",
    "refused.text": "Só vendemos bebida alcoólica para maiores de 18 anos, com documento. O resto do seu pedido continua aqui, e nada foi cobrado.",
    "refused.empty": "Só vendemos bebida alcoólica para maiores de 18 anos, com documento. Nada foi cobrado, e você pode pedir de novo.",
    "refused.retry": "Continuar sem a bebida",

    // payment
    "pay.title": "Pague com o celular",
    "pay.step1": "Abra o app do Mercado Pago ou do seu banco",
    "pay.step2": "Aponte a câmera para o código",
    "pay.step3": "Confirme o pagamento e espere aqui",
    "pay.training": "TREINO: nada é cobrado; este código se paga sozinho em alguns segundos.",
    "pay.qr": "Código QR para pagar {amount}",
    "pay.preparing": "Gerando o código…",
    "pay.timeLeft": "O código vale por mais",
    "pay.check": "Já paguei",
    "pay.checking": "Conferindo…",
    "pay.notYet": "O pagamento ainda não chegou. Se você já confirmou no celular, aguarde uns segundos: esta tela muda sozinha.",
    "pay.counter": "Pagar no caixa",
    "pay.cancel": "Cancelar pedido",
    "pay.order": "Pedido {number}",
    "pay.again": "Gerar novo código",
    "pay.qrExpired": "O código venceu",
    "pay.qrExpiredHint": "Nada foi cobrado. Gere um novo código para continuar.",
    "pay.queued": "O QR está demorando",
    "pay.queuedHint": "O serviço de pagamento não respondeu. Seu pedido está guardado e nada foi cobrado. Aguarde aqui, ou pague no caixa.",
    "pay.failed": "Não deu para gerar o código",
    "pay.failedHint": "Nada foi cobrado. Tente de novo ou pague no caixa.",
    "pay.locked": "Há um pagamento em andamento",
    "pay.lockedHint": "Não pague de novo. Espere a confirmação nesta tela ou chame um atendente.",
    "pay.cancelTitle": "Cancelar este pedido?",
    "pay.cancelText": "Os itens voltam para a vitrine. Se você já pagou, não cancele: espere a confirmação.",
    "pay.cancelLeave": "Cancelar e sair",
    "pay.cancelEdit": "Mudar itens",
    "pay.keep": "Continuar pagando",

    // pay at the counter
    "counter.title": "Agora é no caixa",
    "counter.text": "Diga este número e pague {amount} em dinheiro ou cartão. O preparo começa depois do pagamento.",

    // after the order
    "done.title": "Pedido confirmado!",
    "done.number": "Seu número",
    "done.promise": "Pronto em cerca de {n} min",
    "done.track": "Acompanhe no celular",
    "done.trackHint": "Aponte a câmera para ver quando ficar pronto e ter o recibo.",
    "done.pickUp": "Retire no balcão quando seu número aparecer no painel.",
    "done.close": "Concluir",
    "done.back": "Volta ao início em {n} s",
    "expired.title": "O tempo do pedido acabou",
    "expired.text": "Nada foi cobrado, e seus itens continuam aqui. Quer tentar de novo?",
    "expired.empty": "Nada foi cobrado, e você pode pedir de novo.",
    "expired.leave": "Voltar ao início",
    "expired.retry": "Refazer pedido",
    "cancelled.title": "Pedido cancelado",
    "cancelled.text": "Se algum pagamento tiver sido feito, ele é devolvido automaticamente.",

    // trouble
    "offline.banner": "Sem conexão. Seu pedido está guardado neste totem; tentando de novo…",
    "offline.title": "Sem conexão com a loja",
    "offline.text": "Nada foi cobrado. Assim que a conexão voltar, esta tela continua sozinha. Se preferir, peça no caixa.",
    "offline.place": "A conexão caiu. Seu pedido está guardado e não será feito duas vezes. Toque em “Tentar de novo”.",
    "offline.again": "A conexão caiu. Seu pedido está guardado e não será feito duas vezes. Assim que ela voltar, esta tela continua sozinha.",
    "trouble.title": "Algo deu errado aqui",
    "trouble.text": "Seu pedido continua guardado e nada foi cobrado. Tente de novo ou peça no caixa.",
    "trouble.invalid": "Confira seu pedido",
    "trouble.busy": "Muitos pedidos ao mesmo tempo. Seu carrinho está guardado: tente de novo em instantes.",
    "trouble.unpaired": "Este totem foi desligado da loja",
    "trouble.unpairedHint": "Peça no caixa, por favor. Um atendente pode conectar o totem de novo.",
    "trouble.reload": "Verificar de novo",
    "price.title": "O preço mudou",
    "price.text": "O total do seu pedido passou de {before} para {after}.",
    "price.accept": "Continuar por {after}",
    "price.review": "Rever pedido",
    "gone.title": "Acabou de esgotar",
    "gone.text": "Não temos mais: {names}. O resto do seu pedido está guardado.",
    "gone.someText": "Só restam {available} de {names}. O resto do seu pedido está guardado.",
    "gone.remove": "Tirar e continuar",
    "gone.review": "Rever pedido",

    // idle and leaving
    "idle.title": "Ainda está aí?",
    "idle.text": "Seu pedido será apagado em {n} s.",
    "idle.stay": "Continuar pedido",
    "idle.leave": "Apagar e sair",
    "restart.title": "Começar de novo?",
    "restart.text": "Os itens escolhidos serão apagados.",
    "restart.yes": "Apagar tudo",
    "restart.no": "Continuar pedido",

    // access mode
    "access.on": "Modo acessível",
    "access.off": "Modo padrão",

    // shared
    "back": "Voltar",
    "close": "Fechar",
    "more": "Mais um {name}",
    "less": "Menos um {name}",

    // allergens, by the codes of the menu
    "allergen.gluten": "glúten",
    "allergen.milk": "leite",
    "allergen.egg": "ovo",
    "allergen.soy": "soja",
    "allergen.peanut": "amendoim",
    "allergen.nuts": "castanhas",
    "allergen.almond": "amêndoas",
    "allergen.fish": "peixe",
    "allergen.crustaceans": "crustáceos",
    "allergen.colouring": "corantes",
  },
};

const LANGUAGE = "pt-BR";
const plurals = new Intl.PluralRules(LANGUAGE);

/** The text for `key`, its {names} filled from `values`. An unknown key shows as itself. */
export function t(key, values = {}) {
  const text = TEXTS[LANGUAGE][key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/** The text for `n` things: keys `${key}.one`, `${key}.other`. */
export function tn(key, n) {
  const rule = plurals.select(n) === "one" ? "one" : "other";
  return t(`${key}.${rule}`, { n });
}

/** The label of a code from the server, or the code itself while no label is known. */
export function label(group, code) {
  const key = `${group}.${code}`;
  return key in TEXTS[LANGUAGE] ? t(key) : code;
}

/** How many days a moment is from today in the store's time zone; 0 is today. */
export function daysAhead(iso, timeZone) {
  const day = (moment) => Date.parse(new Intl.DateTimeFormat("en-CA", { timeZone }).format(moment));
  return Math.round((day(new Date(iso)) - day(new Date())) / 86_400_000);
}

/** A date in the store's time zone, such as "segunda-feira, 24/11". */
export function dayName(iso, timeZone) {
  return new Intl.DateTimeFormat(LANGUAGE, { weekday: "long", day: "2-digit", month: "2-digit", timeZone }).format(new Date(iso));
}

/** Time of day in the store's time zone, such as "16:10". */
export function clock(iso, timeZone) {
  return new Intl.DateTimeFormat(LANGUAGE, { hour: "2-digit", minute: "2-digit", timeZone }).format(new Date(iso));
}
