// Finds people while a name is typed: sends the form of the page and shows the results of its answer.
// Without it the button does the same.
(() => {
  "use strict";
  const form = document.getElementById("find");
  const box = form.elements.typed;
  const found = document.getElementById("found");
  const told = document.getElementById("told");
  const least = (text) => (/[^\x00-\x7f]/.test(text) ? 1 : 2);
  let waiting = 0, last = box.value.trim(), under = null;

  async function look() {
    const text = box.value.trim();
    if (text === last || (text && text.length < least(text))) return;
    last = text;
    if (under) under.abort();
    const mine = (under = new AbortController());
    found.setAttribute("aria-busy", "true");
    try {
      const body = new URLSearchParams(new FormData(form));
      const answer = await fetch(form.action, { method: "POST", body, signal: mine.signal });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("found");
      if (mine !== under) return;
      if (!fresh && (answer.status === 429 || answer.status >= 500)) last = null;  // the next key asks again
      else if (!fresh) form.submit();
      if (!fresh) return;
      found.replaceChildren(...fresh.childNodes);
      told.textContent = page.getElementById("told").textContent;
      history.replaceState(null, "", answer.url);
    } catch (error) {
      if (error.name !== "AbortError") last = null;
    } finally {
      if (mine === under) found.removeAttribute("aria-busy");
    }
  }

  box.addEventListener("input", (event) => {
    clearTimeout(waiting);
    if (!event.isComposing) waiting = setTimeout(look, 120);
  });
  box.addEventListener("compositionend", () => { clearTimeout(waiting); waiting = setTimeout(look, 120); });
})();
