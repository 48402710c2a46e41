// Held keys, told to the viewer when they change and again and again while any is down: silence lets go of everything.
const REPEAT_MS = 150;
const STEERING = new Set([
  "KeyW", "KeyA", "KeyS", "KeyD", "KeyQ", "KeyE", "KeyR", "KeyF", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight",
  "Space", "ShiftLeft", "ShiftRight", "PageUp", "PageDown",
]);
const MODES = { Digit1: "rgb", Digit2: "ids", Digit3: "blend", Digit4: "both" };
const TABLES = {
  drone: [
    ["W S", "fly ahead, back (also ↑ ↓)"], ["A D", "fly left, right"], ["Q E", "turn left, right (also ← →)"],
    ["Space", "up; from the ground it takes off"], ["Shift", "down"], ["L", "land"],
  ],
  car: [
    ["W", "drive (also ↑)"], ["S", "brake, then reverse (also ↓)"], ["A D", "steer (also ← →, Q E)"],
    ["Space", "handbrake"],
  ],
  camera: [
    ["W S", "ahead, back (also ↑ ↓)"], ["A D", "left, right"], ["Q E", "turn left, right (also ← →)"],
    ["Space", "up"], ["Shift", "down"], ["R F", "look up, down"],
  ],
};
const COMMON = [
  ["P", "pause, go on"], [".", "one step of 40 ms"], ["M", "draw the map again"],
  ["1 2 3 4", "picture, ids, blend, both"], ["+ −", "faster, slower"], ["?", "these keys"],
];

export class Keyboard {
  constructor(send, speedMps, controls) {
    this.send = send;
    this.speedMps = speedMps;
    this.controls = controls;
    this.held = new Set();
    setInterval(() => { if (this.held.size) this.tell(); }, REPEAT_MS);
    addEventListener("keydown", event => this.down(event));
    addEventListener("keyup", event => { if (this.held.delete(event.code)) this.tell(); });
    addEventListener("blur", () => this.letGo());
    document.addEventListener("visibilitychange", () => { if (document.hidden) this.letGo(); });
    document.getElementById("help").addEventListener("click", () => toggleHelp());
    for (const button of document.querySelectorAll("[data-key]")) this.listenTo(button);
  }

  down(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "?") return toggleHelp();
    if (event.target.closest?.("input, select, summary, dialog")) return;
    if (STEERING.has(event.code)) {
      event.preventDefault();
      if (!this.held.has(event.code)) {
        this.held.add(event.code);
        this.tell();
      }
    } else if (!event.repeat) {
      this.command(event);
    }
  }

  command(event) {
    const controls = this.controls;
    if (event.code === "KeyP") controls.togglePause();
    else if (event.key === ".") this.send({ type: "do", action: "step" });
    else if (event.code === "KeyM") this.send({ type: "do", action: "map" });
    else if (event.code === "KeyL") this.send({ type: "do", action: "land" });
    else if (event.key === "+" || event.key === "=") controls.changeSpeed(1);
    else if (event.key === "-") controls.changeSpeed(-1);
    else if (MODES[event.code]) document.querySelector(`[data-mode="${MODES[event.code]}"]`).click();
  }

  listenTo(button) {
    const set = down => event => {
      event.preventDefault();
      button.classList.toggle("down", down);
      if (down) this.held.add(button.dataset.key);
      else this.held.delete(button.dataset.key);
      this.tell();
    };
    button.addEventListener("pointerdown", set(true));
    for (const end of ["pointerup", "pointercancel", "pointerleave"]) button.addEventListener(end, set(false));
    button.addEventListener("contextmenu", event => event.preventDefault());
  }

  letGo() {
    if (!this.held.size) return;
    this.held.clear();
    this.tell();
  }

  tell() {
    this.send({ type: "hold", keys: [...this.held], speed_mps: this.speedMps() });
  }
}

function toggleHelp() {
  const dialog = document.getElementById("keys");
  if (dialog.open) dialog.close();
  else dialog.showModal();
}

export function showKeys(table, kind) {
  table.replaceChildren(...[...TABLES[kind], ...COMMON].map(([keys, meaning]) => {
    const row = document.createElement("tr");
    const left = row.insertCell();
    keys.split(" ").forEach((key, place) => {
      const cap = document.createElement("kbd");
      cap.textContent = key;
      left.append(...(place ? [" ", cap] : [cap]));
    });
    row.insertCell().textContent = meaning;
    return row;
  }));
}
