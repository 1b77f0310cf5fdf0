/** Keeps the screen on while the page is visible, where the browser can. */

export function keepAwake() {
  if (!("wakeLock" in navigator)) return;
  const request = () => {
    // Refused on low battery: then the device's own setting decides.
    if (document.visibilityState === "visible") navigator.wakeLock.request("screen").catch(() => {});
  };
  document.addEventListener("visibilitychange", request);
  request();
}
