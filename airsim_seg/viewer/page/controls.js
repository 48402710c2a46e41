// Buttons and sliders.
const EFFECTS = {
  Rain: "Rain", Roadwetness: "Wet road", Snow: "Snowfall", RoadSnow: "Snow on the ground", MapleLeaf: "Falling leaves",
  RoadLeaf: "Leaves on the ground", Dust: "Dust", Fog: "Fog",
};
const HIT_SHOWN_MS = 3000;
const $ = id => document.getElementById(id);

export class Controls {
  constructor(send) {
    this.send = send;
    this.isPaused = false;
    this.knowsHour = false;
    for (const button of document.querySelectorAll("[data-do]")) {
      button.addEventListener("click", () => send({ type: "do", action: button.dataset.do }));
    }
    // A button that keeps the focus would take the space bar from the drone.
    document.addEventListener("click", event => event.target.closest("button")?.blur());
    $("pause").addEventListener("click", () => this.togglePause());
    $("camera").addEventListener("change", event => {
      send({ type: "camera", camera: event.target.value });
      event.target.blur();
    });
    for (const slider of document.querySelectorAll("input")) slider.addEventListener("change", () => slider.blur());
    $("key-speed").addEventListener("input", () => this.showSpeed());
    $("hour").addEventListener("input", () => {
      this.knowsHour = true;
      this.showHour();
      send({ type: "hour", hour: Number($("hour").value) });
    });
    $("weather").append(...Object.entries(EFFECTS).map(([effect, name]) => this.slider(effect, name)));
    this.showSpeed();
  }

  get speedMps() { return Number($("key-speed").value); }

  slider(effect, name) {
    const label = document.createElement("label");
    const input = Object.assign(document.createElement("input"), { type: "range", min: 0, max: 1, step: 0.05, value: 0 });
    const output = document.createElement("output");
    output.textContent = "0 %";
    input.addEventListener("input", () => {
      output.textContent = `${Math.round(100 * input.value)} %`;
      this.send({ type: "weather", effect, value: Number(input.value) });
    });
    input.addEventListener("change", () => input.blur());
    label.append(`${name} `, output, input);
    return label;
  }

  changeSpeed(by) {
    $("key-speed").value = this.speedMps + by;
    this.showSpeed();
  }

  showSpeed() { $("pace-out").textContent = `${this.speedMps} m/s`; }

  showHour() {
    const hour = Number($("hour").value);
    $("hour-out").textContent = `${Math.floor(hour)}:${String(Math.round(hour % 1 * 60)).padStart(2, "0")}`;
  }

  // The hour in the sky is not told either; only its date comes from the clock, so nothing is shown until it is set.
  knowTime() { if (!this.knowsHour) $("hour-out").textContent = "not set"; }

  togglePause() { this.send({ type: "do", action: this.isPaused ? "resume" : "pause" }); }

  showPaused(isPaused) {
    this.isPaused = isPaused;
    $("pause").textContent = isPaused ? "Go on" : "Pause";
    $("paused").hidden = !isPaused;
  }

  showHit(name) {
    if (!name) return;
    $("hit").hidden = false;
    $("hit").textContent = `hit ${name}`;
    clearTimeout(this.hiding);
    this.hiding = setTimeout(() => { $("hit").hidden = true; }, HIT_SHOWN_MS);
  }

  showCamera(camera) { $("camera").value = camera; }
}
