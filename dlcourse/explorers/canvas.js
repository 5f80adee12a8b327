// A picture that reports the pointer. One report is on its way at a time: a slow kernel skips moves, it never lags behind.
function render({ model, el }) {
  const image = document.createElement("img");
  image.draggable = false;
  Object.assign(image.style, { maxWidth: "100%", display: "block", touchAction: "pan-y", userSelect: "none" });
  el.appendChild(image);

  let url = null, pressed = false, waiting = null, next = null, rest = null;

  function show() {
    const before = url;
    url = URL.createObjectURL(new Blob([model.get("value")], { type: "image/png" }));
    image.src = url;
    if (before) URL.revokeObjectURL(before);
    image.width = model.get("width");
    image.alt = model.get("alt");
    image.style.cursor = model.get("touchable") ? "crosshair" : "default";
    clearTimeout(rest);
    // Coarse while it moves, fine when it rests
    if (!model.get("fine")) rest = setTimeout(() => model.send({ action: "rest" }), 150);
  }

  function answered() {
    clearTimeout(waiting);
    waiting = null;
    if (next) {
      const report = next;
      next = null;
      send(report);
    }
  }

  function send(report) {
    if (waiting) {
      next = report;
      return;
    }
    // A lost answer must not end the conversation
    waiting = setTimeout(answered, 2000);
    model.send(report);
  }

  function report(action, event) {
    const box = image.getBoundingClientRect();
    send({ action, x: (event.clientX - box.left) / box.width, y: 1 - (event.clientY - box.top) / box.height });
  }

  if (model.get("touchable")) {
    image.addEventListener("pointerdown", (event) => {
      pressed = true;
      image.setPointerCapture(event.pointerId);
      event.preventDefault();
      report("press", event);
    });
    image.addEventListener("pointermove", (event) => report(pressed ? "drag" : "hover", event));
    for (const name of ["pointerup", "pointercancel"]) {
      image.addEventListener(name, () => { pressed = false; });
    }
  }
  model.on("change:value", show);
  model.on("msg:custom", answered);
  show();
  return () => {
    clearTimeout(rest);
    clearTimeout(waiting);
    if (url) URL.revokeObjectURL(url);
  };
}

export default { render };
