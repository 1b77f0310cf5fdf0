/** Replacing a server-rendered fragment without losing the place of whoever is using it. */

/**
 * Puts `html`, rendered by our own templates, inside `target`, keeping focus and scroll.
 *
 * Elements are recognised by their `id`, scrollers by `data-scroll`.
 */
export function swap(target, html) {
  const focusedId = target.contains(document.activeElement) ? document.activeElement.id : "";
  const scrolled = new Map();
  for (const box of target.querySelectorAll("[data-scroll]")) scrolled.set(box.dataset.scroll, box.scrollTop);

  const parsed = new DOMParser().parseFromString(html, "text/html");
  target.replaceChildren(...parsed.body.childNodes);

  for (const box of target.querySelectorAll("[data-scroll]")) box.scrollTop = scrolled.get(box.dataset.scroll) ?? 0;
  if (focusedId) document.getElementById(focusedId)?.focus({ preventScroll: true });
}

/** Fetches a fragment's HTML. A device that is no longer known goes to the pairing page. @throws when there is no HTML */
export async function fetchFragment(url, headers = {}) {
  const response = await fetch(url, { headers, credentials: "same-origin", cache: "no-store" });
  if (response.status === 401) window.location.reload();
  if (!response.ok) throw new Error(`Fragment answered ${response.status}`);
  return response.text();
}
