/** What every write of a page sends back to show that it comes from the page. */

export function csrfToken() {
  return /(?:^|;\s*)csrftoken=([^;]*)/.exec(document.cookie)?.[1] ?? "";
}
