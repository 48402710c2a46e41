// The camera's picture and its ids: drawn, coloured, named under the mouse, counted for the legend.
const LEGEND_ROWS = 14;
const LEGEND_EVERY_MS = 400;
const RATE_OVER_MS = 3000;
const $ = id => document.getElementById(id);

async function inflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

export class PictureView {
  constructor() {
    this.rgb = $("rgb").getContext("2d", { alpha: false });
    this.ids = $("ids").getContext("2d", { alpha: false });
    this.rawIds = null;
    this.colours = new Uint32Array(256).fill(0xff808080);
    this.dimmed = new Uint32Array(256);
    this.legend = { kinds: {}, counts: {}, classes: {}, note: "" };
    this.chosen = null; // the id whose line of the legend is pointed at
    this.times = []; // [wall ms, simulation ns] of the last frames
    this.legendAt = -Infinity;
    this.pointer = null;
    const views = $("views");
    views.addEventListener("pointermove", event => { this.pointer = event; this.showTip(); });
    views.addEventListener("pointerleave", () => { this.pointer = null; this.showTip(); });
    $("legend").addEventListener("pointerover", event => this.choose(event.target.closest("li")?.dataset.id));
    $("legend").addEventListener("pointerleave", () => this.choose(undefined));
  }

  setMode(mode) {
    $("views").dataset.mode = mode;
    for (const button of $("modes").children) button.setAttribute("aria-pressed", button.dataset.mode === mode);
    this.paintIds();
  }

  setLegend(legend) {
    this.legend = legend;
    legend.colours.forEach(([r, g, b], id) => {
      // A canvas pixel as one number, least significant byte first: red, green, blue, alpha.
      this.colours[id] = (0xff000000 | (b << 16) | (g << 8) | r) >>> 0;
      const grey = 40 + Math.round(0.08 * (r + g + b));
      this.dimmed[id] = (0xff000000 | (grey << 16) | (grey << 8) | grey) >>> 0;
    });
    $("legend-note").textContent = legend.note;
    this.paintIds();
  }

  async draw(message, jpeg, packed) {
    const [bitmap, rawIds] = await Promise.all([
      createImageBitmap(new Blob([jpeg], { type: "image/jpeg" })), packed.length ? inflate(packed) : null,
    ]);
    for (const context of [this.rgb, this.ids]) {
      if (context.canvas.width !== message.width) context.canvas.width = message.width;
      if (context.canvas.height !== message.height) context.canvas.height = message.height;
    }
    $("views").style.setProperty("--aspect", message.width / message.height);
    this.rgb.drawImage(bitmap, 0, 0);
    bitmap.close();
    this.rawIds = rawIds;
    this.width = message.width;
    $("legend-note").textContent = message.note || this.legend.note;
    this.paintIds();
    this.showTip();
    this.showLegend();
    this.times.push([performance.now(), Number(message.time_ns)]);
  }

  paintIds() {
    if (!this.rawIds || $("views").dataset.mode === "rgb") return;
    const { width, height } = this.ids.canvas;
    const image = new ImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    const lookup = this.chosen === null ? this.colours : this.dimmed.slice();
    if (this.chosen !== null) lookup[this.chosen] = this.colours[this.chosen];
    for (let i = 0; i < pixels.length; i++) pixels[i] = lookup[this.rawIds[i]];
    this.ids.putImageData(image, 0, 0);
  }

  choose(id) {
    const chosen = id === undefined ? null : Number(id);
    if (chosen === this.chosen) return;
    this.chosen = chosen;
    this.paintIds();
  }

  // What an id is called: "Tree, Bush ×31".
  nameOf(id) {
    const count = this.legend.counts[id] ?? 0;
    return (this.legend.kinds[id] ?? []).join(", ") + (count > 1 ? ` ×${count}` : "");
  }

  idUnder(event) {
    for (const canvas of [$("ids"), $("rgb")]) {
      const box = canvas.getBoundingClientRect();
      const column = Math.floor((event.clientX - box.left) / box.width * canvas.width);
      const row = Math.floor((event.clientY - box.top) / box.height * canvas.height);
      if (box.width && column >= 0 && column < canvas.width && row >= 0 && row < canvas.height)
        return this.rawIds[row * canvas.width + column];
    }
    return null;
  }

  showTip() {
    const tip = $("tip");
    const id = this.pointer && this.rawIds ? this.idUnder(this.pointer) : null;
    tip.hidden = id === null;
    for (const row of $("legend").children) row.classList.toggle("pointed", Number(row.dataset.id) === id);
    if (id === null) return;
    const name = document.createElement("b");
    name.textContent = this.nameOf(id) || (id === 0 ? "nothing, or an id of 0" : "no name");
    const about = this.legend.classes[id] ? `${this.legend.classes[id].name} · id ${id}` : `id ${id}`;
    tip.replaceChildren(name, document.createElement("br"), about);
    const box = $("views").getBoundingClientRect();
    const x = this.pointer.clientX - box.left, y = this.pointer.clientY - box.top;
    tip.style.left = `${Math.max(0, Math.min(x + 14, box.width - tip.offsetWidth - 4))}px`;
    tip.style.top = `${y + 20 + tip.offsetHeight > box.height ? y - 8 - tip.offsetHeight : y + 16}px`;
  }

  showLegend() {
    const now = performance.now();
    if (!this.rawIds || now - this.legendAt < LEGEND_EVERY_MS) return;
    this.legendAt = now;
    const areas = new Uint32Array(256);
    for (const id of this.rawIds) areas[id]++;
    const seen = [...areas.keys()].filter(id => areas[id]).sort((a, b) => areas[b] - areas[a]);
    const list = $("legend");
    const wanted = seen.slice(0, LEGEND_ROWS);
    while (list.children.length > wanted.length) list.lastChild.remove();
    wanted.forEach((id, place) => this.fillRow(list.children[place] ?? list.appendChild(newRow()), id, areas[id]));
  }

  fillRow(row, id, area) {
    const [swatch, number, name, share] = row.children;
    const label = this.legend.classes[id]?.name ?? "";
    if (row.dataset.id !== String(id) || row.dataset.label !== label) {
      row.dataset.id = id;
      row.dataset.label = label;
      const colour = this.colours[id];
      swatch.style.background = `rgb(${colour & 255} ${(colour >> 8) & 255} ${(colour >> 16) & 255})`;
      number.textContent = id;
      const small = document.createElement("small");
      small.textContent = this.nameOf(id) ? ` ${label}` : "";
      name.replaceChildren(this.nameOf(id) || label || "–", small);
      row.title = `id ${id}: ${this.nameOf(id)} ${label && `(${label})`}`;
    }
    share.textContent = `${(100 * area / this.rawIds.length).toFixed(1)} %`;
  }

  showRates(time, fps, pace) {
    const now = performance.now();
    while (this.times.length > 2 && now - this.times[0][0] > RATE_OVER_MS) this.times.shift();
    const [first, last] = [this.times[0], this.times.at(-1)];
    time.textContent = new Date(last[1] / 1e6).toISOString().slice(11, 21);
    if (last[0] <= first[0]) return;
    fps.textContent = ((this.times.length - 1) * 1000 / (last[0] - first[0])).toFixed(1);
    pace.textContent = `${((last[1] - first[1]) / 1e6 / (last[0] - first[0])).toFixed(2)}×`;
  }
}

function newRow() {
  const row = document.createElement("li");
  for (const name of ["swatch", "id", "name", "share"]) {
    const cell = document.createElement(name === "swatch" ? "i" : "span");
    cell.className = name;
    row.append(cell);
  }
  return row;
}
