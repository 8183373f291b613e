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

  // A chosen file shows its name in the place where it was dropped.
  function chosen(input) {
    const zone = input.closest("[data-drop]");
    if (zone && input.files.length) {
      const file = input.files[0];
      const kilobytes = Math.max(1, Math.round(file.size / 1024));
      zone.querySelector("[data-drop-name]").textContent = file.name + " — " + kilobytes + (english ? " KB" : " КБ");
      zone.classList.add("is-chosen");
    }
  }

  // What goes up is shown as far as it is; from then on the node reads the file.
  function progress(event) {
    const bar = event.target.querySelector("[data-upload]");
    if (bar && event.detail.lengthComputable) {
      bar.hidden = false;
      if (event.detail.loaded < event.detail.total) {
        bar.max = event.detail.total;
        bar.value = event.detail.loaded;
      } else {
        bar.removeAttribute("value");
      }
    }
  }

  // A page that is kept for "back" keeps no key.
  window.addEventListener("pagehide", function () {
    for (const element of document.querySelectorAll("[data-secret]")) {
      element.remove();
    }
  });

  document.addEventListener("change", function (event) { if (event.target.matches("[data-drop] input")) { chosen(event.target); } });
  for (const name of ["dragenter", "dragover", "dragleave", "drop"]) {
    document.addEventListener(name, function (event) {
      const zone = event.target.closest && event.target.closest("[data-drop]");
      if (zone) {
        zone.classList.toggle("is-over", name === "dragenter" || name === "dragover");
      }
    });
  }
  document.addEventListener("htmx:afterSwap", function (event) {
    // Events of the stream have no target here.
    if (event.detail.target && event.detail.target.id === "notice") {
      event.detail.target.scrollIntoView({ block: "center" });
    }
  });
  document.addEventListener("htmx:xhr:progress", progress);
  document.addEventListener("htmx:afterRequest", function (event) {
    const bar = event.target.querySelector && event.target.querySelector("[data-upload]");
    if (bar && !event.detail.successful) {
      bar.hidden = true;
    }
  });

  document.addEventListener("click", function (event) {
    if (event.target.closest("[data-print]")) {
      window.print();
    }
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

  // A double click sends a form once. The page may stay, as where a file is saved: then it may be sent again.
  document.addEventListener("submit", function (event) {
    const form = event.target;
    if (form.getAttribute("method") !== "post" || event.defaultPrevented || form.matches("[data-scan]")) {
      return;
    }
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "1";
    setTimeout(function () { delete form.dataset.sent; }, 3000);
  });

  document.addEventListener("htmx:load", function (event) { localise(event.detail.elt.parentElement || document); });
  document.addEventListener("htmx:sseOpen", function (event) { event.target.classList.add("is-live"); });
  document.addEventListener("htmx:sseError", function (event) { event.target.classList.remove("is-live"); });
  localise(document);
})();
