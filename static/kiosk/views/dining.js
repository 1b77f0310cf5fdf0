/** Eat here or take away. */

import { cart } from "../cart.js";
import { h } from "../dom.js";
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
    h("span.dining-hint", { text: t(`dining.${diningOption}.hint`) }),
  );
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
