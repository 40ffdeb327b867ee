// Two maps beside each other that show the same place: the left one as its list of layers says, the right one with the
// raster that is chosen for it, over the image, and with the same outlines.
window.slidelensBeside = function (kit) {
  "use strict";

  const map = kit.map, make = kit.make, word = kit.word;
  const ICON = "M1.5 2.5h13v11h-13zM8 2.5v11";
  let right = null, node = null, choice = null, label = null, shown = new Map(), drawn = new Map(), following = false;
  let chosen = kit.recall("beside") || { on: false, id: "" };

  function rasters() { return kit.rasters().filter(function (spec) { return spec.kind !== "basemap"; }); }

  // What stands on the right before anybody chose: what the page put there, or the first raster that the left hides.
  function first() {
    const all = rasters(), put = all.find(function (spec) { return spec.pane === "swipe-right"; });
    const other = all.slice().reverse().find(function (spec) { return !kit.seen(spec); });
    return (put || other || all[0] || { id: "" }).id;
  }

  function current() {
    const all = rasters();
    return all.find(function (spec) { return spec.id === chosen.id; }) || all.find(function (spec) { return spec.id === first(); });
  }

  function keep() { kit.keep("beside", chosen); }

  // ---- opening and closing

  function open() {
    node = make("div", "sl-beside leaflet-container");
    document.body.append(node);
    document.body.classList.add("sl-two");
    const options = map.options;
    right = L.map(node, {
      crs: options.crs, zoomSnap: options.zoomSnap, minZoom: map.getMinZoom(), maxZoom: map.getMaxZoom(),
      zoomControl: false, attributionControl: false, zoomAnimation: false, fadeAnimation: false,
    });
    right.slRenderer = L.canvas({ padding: 0.5 });
    animate(false);
    kit.fold();
    right.setView(map.getCenter(), map.getZoom(), { animate: false });
    makeChoice();
    right.on("move", function () { follow(right, map); });
    map.on("move", followed);
    pointers();
    new ResizeObserver(resized).observe(node);
    refresh();
  }

  function close() {
    map.off("move", followed);
    right.remove();
    node.remove();
    label.remove();
    document.body.classList.remove("sl-two");
    right = node = null;
    shown = new Map();
    drawn = new Map();
    animate(true);
    kit.pointer([]);
  }

  // A new size is no move: the left map alone says where both are.
  function resized() {
    if (!right) return;
    following = true;
    right.invalidateSize({ animate: false });
    following = false;
    followed();
  }

  // Leaflet moves a map through a zoom by itself, and the other would be left behind.
  let animated = null;
  function animate(on) {
    if (animated === null) animated = map._zoomAnimated;
    map._zoomAnimated = on && animated;
  }

  function toggle() {
    chosen.on = !right;
    keep();
    if (right) close(); else open();
    button.setAttribute("aria-pressed", String(chosen.on));
    kit.refresh();
  }

  function makeChoice() {
    const head = make("label", "sl-beside-head", word("Map 2"));
    choice = make("select");
    choice.setAttribute("aria-label", word("Layer of map 2"));
    choice.addEventListener("change", function () {
      chosen.id = choice.value;
      keep();
      kit.refresh();
    });
    head.append(choice);
    L.DomEvent.disableClickPropagation(head);
    node.append(head);
    label = make("div", "sl-beside-left", "");
    map.getContainer().append(label);
  }

  // ---- one view

  function followed() { if (right) follow(map, right); }

  function follow(from, to) {
    if (following) return;
    following = true;
    to.setView(from.getCenter(), from.getZoom(), { animate: false });
    following = false;
  }

  // The pointer of one map is a cross on the other.
  function pointers() {
    const cross = make("div", "sl-cross"), other = make("div", "sl-cross");
    node.append(cross);
    map.getContainer().append(other);
    [[map, right, cross], [right, map, other]].forEach(function (pair) {
      const put = function (event) {
        const at = pair[1].latLngToContainerPoint(event.latlng);
        pair[2].style.transform = "translate(" + at.x + "px," + at.y + "px)";
        pair[2].style.display = "block";
        if (pair[0] === right) kit.pointer(kit.places.words(event.latlng));
      };
      pair[0].on("mousemove", put);
      pair[0].on("mouseout", function () { pair[2].style.display = "none"; });
    });
    right.on("unload", function () { other.remove(); });
  }

  // ---- what the right map shows

  function layers() {
    const one = current(), image = rasters().find(function (spec) { return spec.id === "scene"; });
    return [image, one].filter(function (spec, n, all) { return spec && all.indexOf(spec) === n; });
  }

  function drawTiles() {
    const wanted = layers();
    shown.forEach(function (entry, id) {
      if (wanted.some(function (spec) { return spec.id === id && spec.url === entry.url; })) return;
      right.removeLayer(entry.layer);
      shown.delete(id);
    });
    wanted.forEach(function (spec, n) {
      if (!shown.has(spec.id)) {
        const layer = kit.tileLayer(Object.assign({}, spec, { pane: "tilePane" }), n + 1);
        shown.set(spec.id, { layer: layer.addTo(right), url: spec.url });
      }
      shown.get(spec.id).layer.setOpacity(spec.id === "scene" ? 1 : kit.opacity(spec));
    });
  }

  function drawOutlines() {
    const wanted = kit.outlines();
    drawn.forEach(function (entry, id) {
      if (wanted.some(function (one) { return one.spec.id === id && one.text === entry.text; })) return;
      right.removeLayer(entry.layer);
      drawn.delete(id);
    });
    wanted.forEach(function (one) {
      if (!drawn.has(one.spec.id)) {
        const layer = L.geoJSON(one.spec.features, {
          renderer: right.slRenderer, interactive: false, coordsToLatLng: function (at) { return L.latLng(at[1], at[0]); },
        });
        drawn.set(one.spec.id, { layer: layer.addTo(right), text: one.text });
      }
      drawn.get(one.spec.id).layer.setStyle(one.style);
    });
  }

  function drawChoice() {
    const all = rasters(), signature = JSON.stringify(all.map(function (spec) { return [spec.id, spec.name]; }));
    if (choice.dataset.signature !== signature) {
      choice.dataset.signature = signature;
      choice.replaceChildren(...all.slice().reverse().map(function (spec) { return new Option(word(spec.name), spec.id); }));
    }
    const one = current();
    if (one) choice.value = one.id;
    const left = all.find(function (spec) { return spec.pane === "swipe-left"; });
    label.textContent = left ? word("Map 1: {layer}", { layer: word(left.name) }) : word("Map 1: as in Layers");
  }

  function refresh() {
    if (!right) return;
    node.classList.toggle("sl-dark", map.getContainer().classList.contains("sl-dark"));
    drawTiles();
    drawOutlines();
    drawChoice();
  }

  const button = kit.tool("Two maps side by side", ICON, toggle);
  button.setAttribute("aria-pressed", String(chosen.on));
  if (chosen.on) document.body.classList.add("sl-two");  // the map finds its view in the room that it is left
  return {
    refresh: refresh,
    placed: function () { if (chosen.on) { open(); kit.refresh(); } },
    // Legends are of both maps; a raster that the page put on the right leaves the left one.
    legend: function (spec) { return Boolean(right) && layers().includes(spec); },
    hides: function (spec) { return Boolean(right) && spec.pane === "swipe-right"; },
    active: function () { return Boolean(right); },
    second: function () { return right; },
    layers: function () { return right && layers().map(function (spec) { return spec.id; }); },
  };
};
