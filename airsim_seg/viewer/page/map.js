// The map: the picture from above with north up, the vehicle with its heading, and where it has been.
const TRAIL_STEP_M = 0.4, TRAIL_JUMP_M = 25, TRAIL_POINTS = 6000;
const MIN_SPAN_M = 20, MAX_SPAN_M = 2000;

export class MapView {
  constructor(canvas, scale) {
    this.canvas = canvas;
    this.scale = scale;
    this.context = canvas.getContext("2d");
    this.spanM = 160; // how much of the world the map's side shows
    this.forget();
    canvas.addEventListener("wheel", event => {
      event.preventDefault();
      this.zoom(Math.exp(event.deltaY * 0.0015));
    }, { passive: false });
    canvas.addEventListener("click", event => this.zoom(event.shiftKey ? 1.5 : 1 / 1.5));
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  forget() {
    this.picture = null;
    this.place = null;
    this.vehicle = null;
    this.trail = [];
  }

  async setPicture(place, jpeg) {
    this.picture = await createImageBitmap(new Blob([jpeg], { type: "image/jpeg" }));
    this.place = place;
    this.draw();
  }

  move(north, east, headingDeg) {
    this.vehicle = { north, east, heading: headingDeg * Math.PI / 180 };
    const last = this.trail.at(-1);
    const moved = last ? Math.hypot(north - last[0], east - last[1]) : Infinity;
    if (moved > TRAIL_STEP_M) this.trail.push([north, east, moved > TRAIL_JUMP_M]);
    if (this.trail.length > TRAIL_POINTS) this.trail.splice(0, TRAIL_POINTS / 10);
    this.draw();
  }

  zoom(factor) {
    this.spanM = Math.min(MAX_SPAN_M, Math.max(MIN_SPAN_M, this.spanM * factor));
    this.draw();
  }

  draw() {
    const { canvas, context: c } = this;
    const side = Math.round(canvas.clientWidth * devicePixelRatio);
    if (canvas.width !== side || canvas.height !== side) canvas.width = canvas.height = side;
    const centre = this.vehicle ?? { north: 0, east: 0 };
    const perM = side / this.spanM;
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.clearRect(0, 0, side, side);
    // From here on x is east and y is south, in metres from the vehicle.
    c.setTransform(perM, 0, 0, perM, side / 2, side / 2);
    this.drawPicture(centre);
    this.drawTrail(centre, 2.5 * devicePixelRatio / perM);
    if (this.vehicle) this.drawVehicle(devicePixelRatio / perM);
    this.scale.textContent = `${Math.round(this.spanM)} m across, north up`;
  }

  drawPicture(centre) {
    if (!this.picture) return;
    const { north_m: north, east_m: east, span_m: span } = this.place;
    const c = this.context;
    c.imageSmoothingQuality = "high";
    c.drawImage(this.picture, east - centre.east - span / 2, centre.north - north - span / 2, span, span);
  }

  drawTrail(centre, width) {
    const c = this.context;
    c.beginPath();
    for (const [north, east, jumps] of this.trail) {
      if (jumps) c.moveTo(east - centre.east, centre.north - north);
      else c.lineTo(east - centre.east, centre.north - north);
    }
    c.lineWidth = width;
    c.lineJoin = "round";
    c.strokeStyle = "#ffd23f";
    c.stroke();
  }

  drawVehicle(px) {
    const c = this.context;
    c.save();
    c.rotate(this.vehicle.heading);
    const cone = c.createRadialGradient(0, 0, 0, 0, 0, 60 * px);
    cone.addColorStop(0, "#ffffff90");
    cone.addColorStop(1, "#ffffff00");
    c.fillStyle = cone;
    c.beginPath();
    c.moveTo(0, 0);
    c.arc(0, 0, 60 * px, -Math.PI * 3 / 4, -Math.PI / 4);
    c.fill();
    c.beginPath();
    c.moveTo(0, -11 * px);
    c.lineTo(8 * px, 9 * px);
    c.lineTo(0, 5 * px);
    c.lineTo(-8 * px, 9 * px);
    c.closePath();
    c.fillStyle = "#e1382d";
    c.strokeStyle = "#ffffff";
    c.lineWidth = 1.8 * px;
    c.lineJoin = "round";
    c.fill();
    c.stroke();
    c.restore();
  }
}
