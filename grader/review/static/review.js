// Keys. Every page works without this script: a key follows a link, presses a button or moves the
// focus, and does nothing that the page does not offer.
"use strict";
(() => {
  const parts = [...document.querySelectorAll("[data-part]")];
  let at = Math.max(0, parts.findIndex((part) => part.hasAttribute("data-open")));

  function enter(number, focus) {
    if (!parts.length) return;
    parts[at].removeAttribute("data-current");
    at = Math.min(parts.length - 1, Math.max(0, number));
    parts[at].setAttribute("data-current", "");
    if (focus) {
      parts[at].scrollIntoView({ block: "nearest" });
      const first = parts[at].querySelector("input[type=radio]:checked, input[type=radio], button");
      if (first) first.focus({ preventScroll: true });
    }
  }

  function press(key) {
    const within = parts.length ? parts[at].querySelector(`[data-key="${key}"]`) : null;
    const found = within || document.querySelector(`main [data-key="${key}"], header [data-key="${key}"]`);
    if (!found) return false;
    if (found.matches("input[type=radio], input[type=checkbox]")) {
      found.checked = true;
      found.focus();
    } else if (found.matches("textarea, input, select, summary")) {
      found.focus();
      if (found.matches("summary")) found.click();
    } else {
      found.click();
    }
    return true;
  }

  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("textarea, input:not([type=radio]):not([type=checkbox]), select");
    if (event.key === "Escape" && typing) {
      event.target.blur();
      return;
    }
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.form) {
      event.preventDefault();
      event.target.form.requestSubmit();
      return;
    }
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "j" || event.key === "k") {
      enter(at + (event.key === "j" ? 1 : -1), true);
    } else if (!press(event.key)) {
      return;
    }
    event.preventDefault();
  });

  for (const form of document.forms) {
    form.addEventListener("submit", () => {
      // once: the second press of a key would send the same again
      setTimeout(() => { for (const button of form.querySelectorAll("button")) button.disabled = true; });
    });
  }
  enter(at, false);
})();
