"use strict";
// An explorer on a page: its frames were drawn when the site was built, and a slider chooses one of them.

// Milliseconds that a frame stands
const PACE = 400;
const calm = matchMedia("(prefers-reduced-motion: reduce)");

function explorer(figure) {
  const frames = JSON.parse(figure.querySelector("script").textContent);
  const image = figure.querySelector("img"), slider = figure.querySelector("input");
  const output = figure.querySelector("output"), button = figure.querySelector("button");
  let loaded = null, timer = null;

  // Kept, so that the browser does not fetch or decode a frame twice
  function load() {
    loaded ??= frames.map(([source]) => Object.assign(new Image(), { src: source }));
  }

  function show(index) {
    const [source, value, words] = frames[index];
    Object.assign(image, { src: source, alt: words });
    slider.value = index;
    slider.setAttribute("aria-valuetext", value);
    output.textContent = value;
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    button.classList.remove("running");
    button.setAttribute("aria-label", "Play");
  }

  function play() {
    load();
    let index = Number(slider.value) === frames.length - 1 ? 0 : Number(slider.value);
    show(index);
    button.classList.add("running");
    button.setAttribute("aria-label", "Stop");
    timer = setInterval(() => {
      // A frame that is still on its way holds the next one back
      if (!loaded[index + 1].complete) return;
      show(++index);
      if (index === frames.length - 1) stop();
    }, PACE);
  }

  slider.addEventListener("input", () => {
    stop();
    load();
    show(Number(slider.value));
  });
  button.addEventListener("click", () => (timer ? stop() : play()));

  new IntersectionObserver((entries, observer) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    load();
    if ("plays" in figure.dataset && !calm.matches) {
      show(0);
      play();
    }
  }, { rootMargin: "200px" }).observe(figure);

  // A page that was left and is opened again may come with the slider where it stood
  show(Number(slider.defaultValue));
  figure.querySelector(".controls").hidden = false;
}

document.querySelectorAll("figure.explorer").forEach(explorer);
