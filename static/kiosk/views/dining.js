/** Eat here or take away. */

import { cart } from "../cart.js";
import { h } from "../dom.js";
import { menu } from "../menu.js";
import { formatMoney, isZero } from "../money.js";
import { topBar } from "../parts.js";
import { show } from "../screen.js";
import { t } from "../strings.js";

function choice(diningOption) {
  return h(
    "button.dining-choice",
    {
      on: {
        click: () => {
          cart.dineAs(diningOption);
          show("menu");
        },
      },
    },
    h("span.dining-art", { class: `dining-art dining-art-${diningOption}` }),
    h("span.dining-name", { text: t(`dining.${diningOption}`) }),
    h("span.dining-hint", { text: hint(diningOption) }),
  );
}

/** What taking away costs is said before it is chosen. */
function hint(diningOption) {
  const { packaging_fee: fee } = menu.store;
  if (diningOption === "take_out" && !isZero(fee)) return t("dining.take_out.fee", { amount: formatMoney(fee) });
  return t(`dining.${diningOption}.hint`);
}

export function diningView() {
  const element = h(
    "section.page",
    {},
    topBar({ title: t("dining.title"), onBack: () => show("attract") }),
    h("div.dining", {}, choice("eat_in"), choice("take_out")),
  );
  return { element, waitsForGuest: true };
}
