// Scanning: a form that takes one thing after another, by a hand scanner (text and Enter), the keyboard or the camera.
// Without script the form is sent as any other.
(function () {
  "use strict";

  const EVERY_MS = 200;
  const AGAIN_MS = 3000;

  // Each thing is sent by an item of its own in the list, so that the next scan waits for nothing.
  function take(form, submitter) {
    const box = form.querySelector("[data-scan-text]");
    const values = Object.fromEntries(new FormData(form, submitter));
    const item = document.createElement("li");
    item.textContent = (box.value || values.serial || "") + " …";
    item.dataset.text = box.value;
    document.querySelector(form.dataset.scan).prepend(item);
    for (const field of form.querySelectorAll("[data-once]")) {
      field.value = "";
    }
    box.focus();
    box.dispatchEvent(new Event("input", { bubbles: true }));
    window.htmx.ajax("POST", form.getAttribute("action"), { source: item, target: item, swap: "outerHTML", values: values });
  }

  document.addEventListener("submit", function (event) {
    const form = event.target;
    const goes = event.submitter && event.submitter.hasAttribute("data-goes");
    if (form.matches("form[data-scan]") && !goes) {
      event.preventDefault();
      take(form, event.submitter);
    }
  });

  // What was not taken goes back into the box, where nothing else was typed meanwhile.
  document.addEventListener("htmx:afterRequest", function (event) {
    const item = event.detail.elt;
    if (event.detail.successful || !item || item.dataset.text === undefined) {
      return;
    }
    const list = item.parentElement;
    const form = list && document.querySelector('form[data-scan="#' + list.id + '"]');
    const box = form && form.querySelector("[data-scan-text]");
    if (box && !box.value) {
      box.value = item.dataset.text;
    }
    item.remove();
  });

  document.addEventListener("click", function (event) {
    const button = event.target.closest("[data-take]");
    if (button) {
      const form = document.querySelector("form[data-scan]");
      const field = form.elements[button.dataset.take];
      const box = form.querySelector("[data-scan-text]");
      const closed = field.closest("details");
      if (closed) {
        closed.open = true;
      }
      field.value = button.dataset.value;
      field.dispatchEvent(new Event("input", { bubbles: true }));
      box.focus();
    }
  });

  // What stays from the device before is chosen whole: what is scanned or typed now takes its place.
  function chooseWhole(box) {
    if (box instanceof HTMLInputElement && box.hasAttribute("data-anew")) {
      box.select();
    }
  }
  chooseWhole(document.activeElement);
  document.addEventListener("focusin", function (event) {
    chooseWhole(event.target);
  });

  // The camera, where the browser reads codes by itself (https or localhost only).
  const button = document.querySelector("[data-camera]");
  if (button && "BarcodeDetector" in window && navigator.mediaDevices && window.isSecureContext) {
    const zone = document.querySelector(button.dataset.camera);
    const video = zone.querySelector("video");
    const form = button.closest("form");
    let stream = null;
    let last = "";
    let seen = 0;

    const close = function () {
      if (stream) {
        for (const track of stream.getTracks()) {
          track.stop();
        }
      }
      stream = null;
      video.srcObject = null;
      zone.hidden = true;
    };

    const look = function (detector) {
      if (!stream) {
        return;
      }
      detector.detect(video).then(function (codes) {
        const now = Date.now();
        const text = codes.length ? codes[0].rawValue : "";
        if (text && (text !== last || now - seen > AGAIN_MS)) {
          last = text;
          form.querySelector("[data-scan-text]").value = text;
          take(form, form.querySelector("button[name=then][value=next]"));
        }
        seen = text ? now : seen;
      }).catch(function () { return undefined; }).finally(function () {
        setTimeout(function () { look(detector); }, EVERY_MS);
      });
    };

    button.hidden = false;
    button.addEventListener("click", function () {
      navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } }).then(function (opened) {
        stream = opened;
        video.srcObject = opened;
        zone.hidden = false;
        return video.play();
      }).then(function () {
        look(new window.BarcodeDetector({ formats: ["qr_code", "data_matrix", "code_128"] }));
      }).catch(close);
    });
    zone.querySelector("[data-camera-off]").addEventListener("click", close);
    window.addEventListener("pagehide", close);
  }
})();
