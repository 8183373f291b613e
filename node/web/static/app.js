// Small manners of the console: local times, copying, the mark of a live part. Everything works without it, only plainer.
(function () {
  "use strict";

  const english = document.documentElement.lang !== "ru";
  // The Swedish form of a date is the ISO one, which English readers of any country read alike.
  const format = new Intl.DateTimeFormat(english ? "sv-SE" : "ru-RU", { dateStyle: "short", timeStyle: "medium" });

  function localise(root) {
    for (const element of root.querySelectorAll("time[datetime]:not([title])")) {
      element.title = element.textContent;
      element.textContent = format.format(new Date(element.dateTime));
    }
  }

  function copy(button) {
    const text = document.querySelector(button.dataset.copy).textContent;
    const before = button.textContent;
    navigator.clipboard.writeText(text).then(function () {
      button.textContent = button.dataset.done;
      setTimeout(function () { button.textContent = before; }, 1500);
    });
  }

  document.addEventListener("click", function (event) {
    const button = event.target.closest("[data-copy]");
    if (button) {
      copy(button);
    }
    for (const open of document.querySelectorAll("details.pop[open]")) {
      if (!open.contains(event.target)) {
        open.open = false;
      }
    }
  });

  document.addEventListener("htmx:load", function (event) { localise(event.detail.elt.parentElement || document); });
  document.addEventListener("htmx:sseOpen", function (event) { event.target.classList.add("is-live"); });
  document.addEventListener("htmx:sseError", function (event) { event.target.classList.remove("is-live"); });
  localise(document);
})();
