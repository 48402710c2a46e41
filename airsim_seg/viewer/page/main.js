// Connects, hands each message to its part of the page, and says when something is lost.
import { Controls } from "./controls.js";
import { Keyboard, showKeys } from "./keyboard.js";
import { MapView } from "./map.js";
import { PictureView } from "./picture.js";

const RETRY_MS = 1000;
const $ = id => document.getElementById(id);
const fixed = (value, digits) => value.toFixed(digits).replace(/^-(0(?:\.0*)?)$/, "$1").replace("-", "−");

let socket = null;
const send = message => {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
};

const picture = new PictureView();
const map = new MapView($("map"), $("scale"));
const controls = new Controls(send);
const keyboard = new Keyboard(send, () => controls.speedMps, controls);

function lost(title, text) {
  $("lost").hidden = false;
  $("lost-title").textContent = title;
  $("lost-text").textContent = text;
  $("status").textContent = title.toLowerCase();
  $("status").className = "pill bad";
}

const takers = {
  link(message) {
    if (!message.ok) return lost("Simulator lost", `${message.text} Trying again …`);
    $("lost").hidden = true;
    $("world").textContent = message.environment;
    $("status").textContent = `${message.kind} ${message.vehicle} at ${message.address}`;
    $("status").className = "pill ok";
    $("land").hidden = message.kind !== "drone";
    $("gear-cell").hidden = message.kind !== "car";
    document.title = `${message.environment || "AirSim"} – airsim-seg viewer`;
    map.forget();
    showKeys($("key-table"), message.kind);
  },
  state(message) {
    const [north, east, down] = message.position_m;
    $("speed").textContent = `${fixed(message.speed_mps, 1)} m/s`;
    $("height").textContent = `${fixed(-down, 1)} m`;
    $("heading").textContent = `${fixed((message.angles_deg[0] + 360) % 360, 0)}°`;
    $("position").textContent = [north, east, down].map(value => fixed(value, 1)).join("  ");
    if (message.gear !== null) $("gear").textContent = message.gear < 0 ? "R" : message.gear || "N";
    controls.showPaused(message.paused);
    controls.showHit(message.hit);
    map.move(north, east, message.angles_deg[0]);
  },
  error(message) {
    $("error").hidden = !message.text;
    $("error").textContent = message.text;
    clearTimeout(takers.clearing);
    takers.clearing = setTimeout(() => { $("error").hidden = true; }, 8000);
  },
  camera(message) { controls.showCamera(message.camera); },
  legend(message) { picture.setLegend(message); },
  map(message, parts) { map.setPicture(message, parts[0]); },
  async frame(message, parts) {
    try {
      await picture.draw(message, parts[0], parts[1]);
      picture.showRates($("time"), $("fps"), $("pace"));
      controls.knowTime(message.time_ns);
    } finally {
      // A page that nobody sees asks for no more, and so nothing is drawn for it.
      whenVisible().then(() => send({ type: "seen" }));
    }
  },
};

function whenVisible() {
  return document.hidden
    ? new Promise(resolve => document.addEventListener("visibilitychange", resolve, { once: true }))
    : Promise.resolve();
}

function takeApart(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  let start = 4 + length;
  const parts = head.parts.map(size => new Uint8Array(buffer, (start += size) - size, size));
  return [head, parts];
}

// Frames are drawn one after another: a small one must not overtake a large one that is still being decoded.
let turn = Promise.resolve();

function connect() {
  const address = new URL("live", location.href);
  address.protocol = location.protocol.replace("http", "ws");
  address.search = location.search;
  socket = new WebSocket(address);
  socket.binaryType = "arraybuffer";
  socket.onmessage = event => {
    const [message, parts] = typeof event.data === "string" ? [JSON.parse(event.data), []] : takeApart(event.data);
    turn = turn.then(() => takers[message.type]?.(message, parts)).catch(error => console.error(error));
  };
  socket.onclose = () => {
    lost("Viewer ended", "The viewer on this machine does not answer. Start it again and open the address that it prints.");
    keyboard.letGo();
    setTimeout(connect, RETRY_MS);
  };
}

document.getElementById("modes").addEventListener("click", event => {
  const mode = event.target.dataset?.mode;
  if (mode) picture.setMode(mode);
});
connect();
