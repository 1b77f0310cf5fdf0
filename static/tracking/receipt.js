/** The receipt prints itself when asked to. */

document.getElementById("print").addEventListener("click", () => window.print());
