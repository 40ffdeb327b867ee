// What the map does in the browser. The script of a scene's map calls `start` once; everything that a widget can
// change comes later through `update`, which compares with what is shown and touches only what differs. So pan, zoom,
// drawings, opacities and ticked layers stay. All text is set as text, never as HTML.
window.slidelens = window.slidelens || (function () {
  "use strict";

  const word = window.slidelensWords.word;
  let map, settings, renderer, shown, panel, legend, marker, halo, swipe, lastFocus, toShow, placed, restored, whole, fitting;
  let lastReplaced, lastVisible, arrives = false, reloaded = false, folded = false;
  let selection = [], picture = null, TileLayer, resting, places, bar, showPointer;
  const WHOLE = "The whole image is visible, so there is no part to use. Zoom in first.";
  const TRIES = 6, THROUGH = 0.6, REST = 150, PATIENCE = 8000, ZOOMS_OUT = 6;
  let modules = [];            // what else there is on the map, each of a file of its own: see `kit`
  const tiles = new Map();     // id -> {layer, url, spec, zIndex}
  const vectors = new Map();   // id -> {layer, text, spec}

  function make(tag, className, text) {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text !== undefined) node.textContent = text;
    return node;
  }

  // Opacities, ticks and views outlive a remount (another page and back) within the browser tab. A view is that of a
  // scene; what is switched on belongs to the page, so that the next run of a task is seen as the last was left.
  function remember(name, value, of) {
    try {
      const key = "slidelens:" + (of || settings.key) + ":" + name;
      if (value === undefined) return JSON.parse(sessionStorage.getItem(key));
      sessionStorage.setItem(key, JSON.stringify(value));
    } catch (error) {
      return null;  // storage is switched off: nothing is remembered, all else works
    }
    return value;
  }

  // The page that the map is on, by the last part of its address.
  function page() {
    try {
      return "page-" + (window.parent.location.pathname.replace(/\/+$/, "").split("/").pop() || "home");
    } catch (error) {
      return settings.key;  // a map that stands alone in a foreign frame
    }
  }

  // Whether this is the first map of a page that was loaded anew: its address then says what was selected before, and the
  // map stays where it was.
  function isReloaded() {
    try {
      const first = !window.parent.slidelensMapped;
      window.parent.slidelensMapped = true;
      return first && window.parent.performance.getEntriesByType("navigation")[0].type === "reload";
    } catch (error) {
      return false;
    }
  }

  // The scene on this page: a run of another task opens with the whole image, not where its scene was left elsewhere.
  function here() {
    return settings.key + "-" + page();
  }

  // Layers of one switch are ticked together, and are remembered by its name.
  function choice(kind, spec) {
    const stored = (shown[kind] || {})[spec.switch || spec.id];
    return stored === undefined ? spec[kind] : stored;
  }

  function choose(kind, spec, value) {
    shown[kind] = Object.assign({}, shown[kind], { [spec.switch || spec.id]: value });
    remember("layers", shown, page());
  }

  // What takes the place of others hides them while it is ticked; their ticks stay as they were left.
  function hidden(spec) {
    return entries().some(function (other) {
      return other.spec.hides && other.spec.hides.includes(spec.id) && choice("visible", other.spec);
    });
  }

  function seen(spec) {
    return choice("visible", spec) && !hidden(spec);
  }

  // ---- placing the view

  function show(bounds, options) {
    map.fitBounds(bounds, { maxZoom: settings.nativeZoom + 1, ...options });
  }

  function place() {
    const size = map.getSize();
    if (placed || !size.x || !size.y) return;  // a map in a closed tab has no size yet
    placed = true;
    const view = arrives ? null : remember("view", undefined, here());
    arrives = false;
    if (view) map.setView([view.lat, view.lng], view.zoom, { animate: false });
    else if (toShow) show(toShow, { animate: false });
    else fit();
    // A page that is scrolled with the wheel over the map must not shrink the scene to nothing. Only now: Leaflet would
    // move a view below the limit by itself.
    map.setMinZoom(Math.max(settings.minZoom, Math.min(map.getZoom(), map.getBoundsZoom(settings.bounds) - ZOOMS_OUT)));
    redraw();
    refresh();
    ask("placed");
    map.on("moveend", function () {
      redraw();
      if (fitting) return;
      whole = false;
      const centre = map.getCenter();
      remember("view", { lat: centre.lat, lng: centre.lng, zoom: map.getZoom() }, here());
    });
  }

  // Until the visitor moves the map, the whole scene is shown, whatever becomes of the map's size.
  function fit() {
    fitting = true;
    map.fitBounds(settings.bounds, { animate: false });
    fitting = false;
    whole = true;
    remember("view", null, here());
  }

  // A page gives the map its size in steps. The view is found once it has come to rest, and layers are shown only then:
  // each step would ask for the tiles of another zoom.
  function resized() {
    clearTimeout(resting);
    resting = setTimeout(function () {
      fitting = true;
      map.invalidateSize({ animate: false });
      fitting = false;
      if (placed && whole) fit();
      place();
    }, REST);
  }

  // ---- rasters

  // Tiles of a scene across the antimeridian are those of both edges of the world, beside each other.
  function acrossLayer() {
    return L.TileLayer.extend({
      _isValidTile: function (at) {
        const rows = this._globalTileRange;
        if (rows && (at.y < rows.min.y || at.y > rows.max.y)) return false;
        const corners = this._tileCoordsToNwSe(at);
        return !this.options.bounds || L.latLngBounds(this.options.bounds).overlaps(L.latLngBounds(corners));
      },
    });
  }

  // A tile that was not ready in time is asked for again.
  function again(layer) {
    layer.on("tileerror", function (event) {
      const tile = event.tile, tries = (tile.slTries || 0) + 1;
      if (tries > TRIES) return;
      tile.slTries = tries;
      setTimeout(function () { if (tile.parentNode && layer._map) tile.src = tile.src; }, 2000 * tries);
    });
    return layer;
  }

  function tileLayer(spec, zIndex) {
    const online = spec.kind === "basemap";
    TileLayer = TileLayer || (settings.across ? acrossLayer() : L.TileLayer);
    const layer = new TileLayer(spec.url, {
      minZoom: settings.minZoom, maxZoom: settings.maxZoom,
      minNativeZoom: online ? 0 : settings.minZoom,
      maxNativeZoom: online ? 19 : spec.redrawn ? settings.maxZoom : settings.nativeZoom,
      bounds: online ? undefined : settings.bounds, noWrap: !settings.across, zIndex: zIndex, opacity: choice("opacity", spec),
      className: online ? "" : "sl-sharp", attribution: spec.attribution || "", pane: spec.pane || "tilePane",
    });
    return online ? watched(layer) : again(layer);
  }

  // An online map that cannot be reached says so, on the map, for as long as it is ticked and no tile of it came.
  function watched(layer) {
    let came = false, waiting;
    const says = word("The street map cannot be reached. It needs a connection to the internet.");
    const fail = function () { if (!came && map.hasLayer(layer)) tell(says); };
    layer.on("add", function () { came = false; clearTimeout(waiting); waiting = setTimeout(fail, PATIENCE); });
    layer.on("tileload", function () { came = true; untell(says); });
    layer.on("load", fail);  // also when all its tiles failed
    layer.on("remove", function () { clearTimeout(waiting); untell(says); });
    return layer;
  }

  function showEntry(entry) {
    const visible = placed && seen(entry.spec) && !ask("hides", entry.spec).includes(true);
    if (visible && !map.hasLayer(entry.layer)) entry.layer.addTo(map);
    if (!visible && map.hasLayer(entry.layer)) map.removeLayer(entry.layer);
  }

  // After a tick: what it shows and hides, and all that says so.
  function refresh() {
    entries().forEach(showEntry);
    if (swipe) swipe.clip();
    drawHalo(selection);
    restack();
    drawTicks();
    ask("refresh");
    drawLegend();
  }

  // The old tiles stay until the new ones are there, so that moving a slider does not make the map flicker.
  function exchange(entry, spec) {
    const old = entry.layer;
    entry.layer = tileLayer(spec, entry.zIndex);
    entry.url = spec.url;
    if (!map.hasLayer(old)) return;
    const drop = function () { map.removeLayer(old); };
    entry.layer.once("load", drop);
    setTimeout(drop, 4000);
    entry.layer.addTo(map);
    if (swipe) swipe.clip();
  }

  function updateTiles(specs) {
    const wanted = new Set(specs.map(function (spec) { return spec.id; }));
    tiles.forEach(function (entry, id) {
      if (wanted.has(id)) return;
      map.removeLayer(entry.layer);
      tiles.delete(id);
    });
    specs.forEach(function (spec, position) {
      let entry = tiles.get(spec.id);
      if (!entry) {
        entry = { layer: tileLayer(spec, position + 1), url: spec.url, zIndex: position + 1 };
        tiles.set(spec.id, entry);
      } else if (entry.url !== spec.url) exchange(entry, spec);
      if (entry.zIndex !== position + 1) entry.layer.setZIndex(entry.zIndex = position + 1);
      entry.spec = spec;
    });
  }

  // ---- outlines

  function style(spec, feature, selected) {
    const chosen = spec.selectable && spec.marked !== false && selected.includes(feature.properties.id);
    const colour = feature.properties.colour || spec.colour;
    // What is selected has a thicker line and no denser fill, so that the ground within can be judged.
    return {
      color: colour, weight: chosen ? spec.weight + 2.4 : spec.weight, opacity: 1, fill: true, fillColor: colour,
      fillOpacity: spec.fill, dashArray: spec.dashed ? "5 4" : null,
    };
  }

  function facts(rows) {
    const box = make("div", "sl-facts");
    rows.forEach(function (row) {
      box.append(make("span", "", word(row[0])), make("span", "", word(row[1])));
    });
    return box;
  }

  const asLatLng = function (at) { return L.latLng(at[1], at[0]); };

  // The component listens to what lies on the map when it draws an update. Layers come later, once the map's size has
  // come to rest: what was clicked is told here, and sent with the click on the map that follows.
  function tellClicked(event) {
    const told = window.__GLOBAL_DATA__;
    if (!told) return;
    told.last_object_clicked = event.latlng;
    told.last_active_drawing = event.target.feature;
  }

  function outlines(spec) {
    const layer = L.featureGroup();
    layer.seam = spec.seam && L.geoJSON(null, {
      renderer: renderer, interactive: false, coordsToLatLng: asLatLng,
      style: { color: "#ffffff", weight: spec.weight + 1.8, opacity: 0.55, fill: false },
    }).addTo(layer);
    layer.lines = L.geoJSON(null, {
      renderer: renderer, interactive: spec.selectable, coordsToLatLng: asLatLng,
      onEachFeature: function (feature, part) {
        const rows = feature.properties.facts || [];
        if (rows.length) part.bindTooltip(function () { return facts(rows); }, { sticky: true });
        if (spec.selectable) part.on("click", tellClicked);
      },
    }).addTo(layer);
    return layer;
  }

  // Of very many polygons the first in view are drawn, so that the map stays quick; which ones changes as it moves.
  function inView(spec) {
    const all = spec.features.features;
    if (!spec.most || all.length <= spec.most || !placed) return all.slice(0, spec.most || all.length);
    const view = map.getBounds().pad(0.2), first = [];
    for (const feature of all) {
      if (first.length === spec.most) break;
      const ring = feature.geometry.coordinates[0];
      const longitudes = ring.map(function (at) { return at[0]; }), latitudes = ring.map(function (at) { return at[1]; });
      const apart = Math.max(...longitudes) < view.getWest() || Math.min(...longitudes) > view.getEast() ||
        Math.max(...latitudes) < view.getSouth() || Math.min(...latitudes) > view.getNorth();
      if (!apart) first.push(feature);
    }
    return first;
  }

  function draw(entry, selected) {
    const spec = entry.spec, some = inView(spec), ids = some.map(function (one) { return one.properties.id; }).join();
    const other = entry.ids !== ids;
    if (other) {
      entry.ids = ids;
      // What comes first matters most and lies on top.
      const collection = { type: "FeatureCollection", features: some.slice().reverse() };
      [entry.layer.seam, entry.layer.lines].filter(Boolean).forEach(function (part) {
        part.clearLayers();
        part.addData(collection);
      });
    }
    entry.layer.lines.setStyle(function (feature) { return style(spec, feature, selected); });
    return other;
  }

  function redraw() {
    let other = false;
    vectors.forEach(function (entry) { if (entry.spec.most) other = draw(entry, selection) || other; });
    if (other) restack();
  }

  // A layer that is ticked comes on top of all; each goes back to its place.
  function restack() {
    vectors.forEach(function (entry) { if (map.hasLayer(entry.layer)) entry.layer.bringToFront(); });
    if (!halo) return;
    halo.bringToFront();
    let raised = false;  // layers above those whose selected shapes are marked stay above them
    vectors.forEach(function (entry) {
      if (!map.hasLayer(entry.layer)) return;
      const marks = entry.spec.selectable && entry.spec.marked !== false;
      if (marks) entry.layer.lines.bringToFront();
      else if (raised) entry.layer.bringToFront();
      raised = raised || marks;
    });
  }

  function updateVectors(specs, selected) {
    const wanted = new Set(specs.map(function (spec) { return spec.id; }));
    selection = selected;
    vectors.forEach(function (entry, id) {
      if (wanted.has(id)) return;
      map.removeLayer(entry.layer);
      vectors.delete(id);
    });
    const before = new Map(vectors);
    vectors.clear();  // and filled anew, so that they stand in their order
    specs.forEach(function (spec) {
      let entry = before.get(spec.id);
      const text = JSON.stringify(spec);
      if (!entry || entry.text !== text) {
        if (entry) map.removeLayer(entry.layer);
        entry = { layer: outlines(spec), text: text };
      }
      entry.spec = spec;
      vectors.set(spec.id, entry);
      draw(entry, selected);
    });
  }

  // White around the selected polygons, so that they stand out on ground of any colour; and the polygons themselves,
  // which are seen also while their layer is off.
  function drawHalo(selected) {
    if (halo) map.removeLayer(halo);
    halo = null;
    if (!selected.length) return;
    halo = L.featureGroup().addTo(map);  // one for all layers: the same may be on several
    vectors.forEach(function (entry) {
      if (!entry.spec.selectable || entry.spec.marked === false) return;
      const features = entry.spec.features.features.filter((one) => selected.includes(one.properties.id));
      if (!features.length) return;
      // Without a fill, which would lie over that of the layer, or over another layer where this one is off.
      const own = function (feature) { return Object.assign(style(entry.spec, feature, selected), { fill: false }); };
      [{ color: "#ffffff", weight: 9, opacity: 0.9, fill: false }, own].forEach(function (look) {
        L.geoJSON(features, { renderer: renderer, interactive: false, style: look }).addTo(halo);
      });
    });
  }

  // ---- panels

  function box(position, title, open) {
    const control = L.control({ position: position });
    control.onAdd = function () {
      const node = make("details", "sl-panel");
      node.open = open;
      node.append(make("summary", "", word(title)), make("div", "sl-rows"));
      L.DomEvent.disableClickPropagation(node);
      L.DomEvent.disableScrollPropagation(node);
      return node;
    };
    control.addTo(map);
    return control.getContainer();
  }

  function entries() {
    const rasters = [...tiles.values()].sort(function (a, b) { return a.zIndex - b.zIndex; });
    return [...rasters, ...vectors.values()];
  }

  // What lies below an opaque layer is seen only through it.
  function reveal(id) {
    const above = tiles.get(id);
    if (!above || choice("opacity", above.spec) <= THROUGH) return;
    choose("opacity", above.spec, THROUGH);
    above.layer.setOpacity(THROUGH);
    const slider = panel.querySelector("input[data-layer='" + id + "']");
    if (slider) slider.value = THROUGH;
  }

  function row(entry) {
    const spec = entry.spec, line = make("div", "sl-row"), label = make("label"), tick = make("input");
    tick.type = "checkbox";
    tick.dataset.layer = spec.id;
    tick.addEventListener("change", function () {
      choose("visible", spec, tick.checked);
      if (tick.checked && spec.under) reveal(spec.under);
      refresh();
    });
    label.append(tick, make("span", "", word(spec.switch || spec.name)));
    line.append(label);
    if (tiles.has(spec.id)) line.append(opacity(entry));
    return line;
  }

  function opacity(entry) {
    const spec = entry.spec, slider = make("input");
    slider.type = "range";
    slider.min = 0; slider.max = 1; slider.step = 0.05;
    slider.value = choice("opacity", spec);
    slider.setAttribute("aria-label", word("Opacity of {layer}", { layer: word(spec.name) }));
    slider.title = word("Opacity");
    slider.dataset.layer = spec.id;
    slider.addEventListener("input", function () {
      choose("opacity", spec, Number(slider.value));
      entry.layer.setOpacity(Number(slider.value));
    });
    return slider;
  }

  function drawTicks() {
    panel.querySelectorAll("input[type=checkbox]").forEach(function (tick) {
      const entry = tiles.get(tick.dataset.layer) || vectors.get(tick.dataset.layer);
      if (!entry) return;
      const covered = hidden(entry.spec);
      tick.checked = choice("visible", entry.spec);
      tick.closest(".sl-row").classList.toggle("sl-covered", covered);
      tick.parentNode.title = covered ? word("Hidden by another layer") : "";
      tick.parentNode.lastChild.dataset.note = covered ? word("(hidden)") : "";
    });
  }

  function drawPanel() {
    const rows = panel.querySelector(".sl-rows");
    const switches = new Map(entries().map(function (entry) { return [entry.spec.switch || entry.spec.id, entry]; }));
    const signature = JSON.stringify([...switches].map(function (one) { return [one[0], one[1].spec.name]; }));
    if (rows.dataset.signature === signature) return;
    rows.dataset.signature = signature;
    const whole = make("button", "", word("Full extent"));
    whole.type = "button";
    whole.addEventListener("click", fit);
    // What lies on top of the map stands on top of the list.
    rows.replaceChildren(...[...switches.values()].reverse().map(row), whole);
  }

  // ---- a picture of the map as it is seen, made by the server from the same layers

  // Of the map, or of the one beside it, which has the rasters of these ids.
  function pictureAddress(one, rasters) {
    const size = one.getSize(), view = one.getBounds(), project = map.options.crs.projection;
    const low = project.project(view.getSouthWest()), high = project.project(view.getNorthEast());
    const listed = [];
    const number = function (value) { return String(Number(value.toPrecision(12))); };
    [["t", tiles, picture.tiles], ["v", vectors, picture.vectors]].forEach(function (kind) {
      kind[1].forEach(function (entry, id) {
        const place = kind[2].indexOf(id);
        const there = kind[0] === "t" && rasters ? rasters.includes(id) :
          seen(entry.spec) && !ask("hides", entry.spec).includes(true);
        if (place < 0 || !there) return;
        listed.push(kind[0] + place + ":" + (kind[0] === "t" ? choice("opacity", entry.spec) : 1));
      });
    });
    const asked = {
      left: number(low.x), bottom: number(low.y), right: number(high.x), top: number(high.y),
      width: size.x, height: size.y, scale: window.devicePixelRatio > 1 ? 2 : 1, layers: listed.join(","),
    };
    if (swipe && !ask("active").includes(true)) asked.swipe = number(swipe.share());
    return picture.address + "?" + new URLSearchParams(asked);
  }

  // Buttons beside those of the zoom: a word, or a path of 16 by 16.
  function makeBar() {
    const control = L.control({ position: "topleft" });
    control.onAdd = function () {
      bar = make("div", "leaflet-bar sl-tools");
      L.DomEvent.disableClickPropagation(bar);
      return bar;
    };
    control.addTo(map);
    tool("Save the map view as PNG", null, savePicture).append(make("span", "", "PNG"));
  }

  function tool(title, icon, act) {
    const button = make("a", "sl-tool");
    button.href = "#";
    button.setAttribute("role", "button");
    button.title = word(title);
    button.setAttribute("aria-label", word(title));
    if (icon) {
      const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
      picture.setAttribute("viewBox", "0 0 16 16");
      picture.setAttribute("aria-hidden", "true");
      path.setAttribute("d", icon);
      picture.append(path);
      button.append(picture);
    }
    const press = function (event) { L.DomEvent.preventDefault(event); act(); };
    L.DomEvent.on(button, "click", press);
    button.addEventListener("keydown", function (event) { if (event.key === " ") press(event); });
    bar.append(button);
    return button;
  }

  let saving = false, told;

  // A line above the map; it stays until it is taken back or another takes its place.
  function tell(words) {
    if (!told) {
      told = make("div", "sl-told");
      told.setAttribute("role", "status");
      map.getContainer().append(told);
    }
    told.textContent = words;
  }

  function untell(words) {
    if (told && (words === undefined || told.textContent === words)) told.textContent = "";
  }

  function savePicture() {
    if (saving || !picture) return;
    saving = true;
    tell(word("Saving the map view"));
    const beside = ask("second").find(Boolean), rasters = ask("layers").find(Boolean);
    fetchPicture(pictureAddress(map), "").then(function () {
      return beside && fetchPicture(pictureAddress(beside, rasters), "_map2");
    }).then(function () { untell(); }).catch(function (error) {
      tell(word("The map view could not be saved.") + " " + error.message);
    }).then(function () { saving = false; });
  }

  function fetchPicture(address, mark) {
    return fetch(address).then(function (answer) {
      if (!answer.ok) return answer.json().then(function (said) { throw new Error(said.error); });
      const name = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") || "");
      return answer.blob().then(function (blob) {
        const link = make("a");
        link.href = URL.createObjectURL(blob);
        link.download = (name ? name[1] : "map.png").replace(/\.png$/, mark + ".png");
        document.body.append(link);
        link.click();
        link.remove();
        setTimeout(function () { URL.revokeObjectURL(link.href); }, 60000);
      });
    });
  }

  // ---- where the pointer is, and how long things are

  function makePointer() {
    const control = L.control({ position: "bottomleft" });
    control.onAdd = function () { return make("div", "sl-pointer"); };
    control.addTo(map);
    const node = control.getContainer(), note = settings.pointer.note;
    const show = function (lines) {
      node.replaceChildren(...lines.map(function (line) { return make("div", "", line); }));
      if (note) node.append(make("div", "sl-note", word(note)));
      node.style.display = node.children.length ? "" : "none";
    };
    show([]);
    showPointer = show;
    let at = null;  // on the screen: what lies there is another place once the map has moved below it
    map.on("mousemove click", function (event) {
      at = event.containerPoint;
      show(places.words(event.latlng));
    });
    map.on("moveend", function () { if (at) show(places.words(map.containerPointToLatLng(at))); });
    map.on("mouseout", function () {
      at = null;
      show([]);
    });
  }

  // On a plane: in metres where the size of its unit on the ground is known, else in pixels.
  function makeScale() {
    if (settings.kind === "globe") {
      L.control.scale({ imperial: false }).addTo(map);
      return;
    }
    const control = L.control({ position: "bottomleft" }), metres = settings.pointer.metres;
    const bar = make("div", "leaflet-control-scale-line");
    control.onAdd = function () {
      const frame = make("div", "leaflet-control-scale");
      frame.append(bar);
      return frame;
    };
    control.addTo(map);
    const draw = function () {
      const one = (metres || 1) / 2 ** map.getZoom(), most = 100 * one;
      const power = 10 ** Math.floor(Math.log10(most));
      const length = power * [5, 2, 1].find(function (step) { return step * power <= most; });
      bar.style.width = Math.round(length / one) + "px";
      bar.textContent = metres ? (length >= 1000 ? length / 1000 + " km" : length + " m") : length + " px";
    };
    map.on("zoomend", draw);
    map.whenReady(draw);
  }

  function ramp(stops) {
    const node = make("div"), bar = make("div", "sl-ramp"), words = make("div", "sl-stops");
    bar.style.background = "linear-gradient(to right," + stops.map(function (at) { return at.colour; }) + ")";
    const last = stops.length - 1, places = [];
    stops.forEach(function (at, n) {
      if (!at.label) return;
      words.append(make("span", "", word(at.label)));
      places.push(n / last);
    });
    // Each word has the room to the middle between it and its neighbours, so that it stands below its place.
    words.style.gridTemplateColumns = places.map(function (place, n) {
      const from = n ? (places[n - 1] + place) / 2 : 0, to = n < places.length - 1 ? (place + places[n + 1]) / 2 : 1;
      return "minmax(min-content, " + Math.round(100 * (to - from)) + "fr)";
    }).join(" ");
    node.append(bar, words);
    return node;
  }

  function drawLegend() {
    const rows = legend.querySelector(".sl-rows"), nodes = [];
    const told = new Set();
    let title = "";  // layers that follow each other under one title have it once
    // Those without a title come first: below the titles of others they would seem to belong to them.
    const titled = function (entry) { return Number(Boolean(entry.spec.legend && entry.spec.legend.title)); };
    entries().reverse().sort(function (a, b) { return titled(a) - titled(b); }).forEach(function (entry) {
      const content = entry.spec.legend;
      if (!content || !(seen(entry.spec) || ask("legend", entry.spec).includes(true))) return;
      const text = JSON.stringify(content);
      if (told.has(text)) return;
      told.add(text);
      const part = make("div", "sl-legend");
      if (content.title && content.title !== title) part.append(make("h4", "", word(content.title)));
      title = content.title;
      if (content.kind === "ramp") part.append(ramp(content.entries));
      else content.entries.forEach(function (item) {
        const line = make("div", "sl-entry"), swatch = make("span", "sl-swatch");
        swatch.classList.toggle("sl-outline", item.drawn === "line" || item.drawn === "dashed");
        if (item.drawn === "line" || item.drawn === "dashed") {
          swatch.style.border = "3px " + (item.drawn === "dashed" ? "dashed " : "solid ") + item.colour;
        } else {
          swatch.style.background = item.drawn === "filled" ? item.colour :
            "repeating-linear-gradient(135deg, " + item.colour + " 0 2px, #ffffff 2px 5px)";
        }
        line.append(swatch, make("span", "", word(item.label)));
        part.append(line);
      });
      nodes.push(part);
    });
    rows.replaceChildren(...nodes);
    legend.style.display = nodes.length ? "" : "none";
  }

  // ---- swipe: two panes of the map, each clipped at a divider that mouse, touch and arrow keys move

  function makeSwipe(spec) {
    ["left", "right"].forEach(function (side) {
      map.createPane("swipe-" + side).style.zIndex = 250;
    });
    const frame = map.getContainer(), line = make("div", "sl-swipe-line"), range = make("input", "sl-swipe-range");
    range.type = "range";
    range.min = 0; range.max = 1; range.step = 0.01; range.value = 0.5;
    const left = word(spec.left), right = word(spec.right);
    range.setAttribute("aria-label", word("Divider between {left} and {right}", { left: left, right: right }));
    const labels = [make("div", "sl-swipe-label", left), make("div", "sl-swipe-label", right)];
    frame.append(line, range, ...labels);
    L.DomEvent.disableClickPropagation(range);
    const clip = function () {
      const apart = ask("active").includes(true);  // two maps beside each other need no divider
      frame.classList.toggle("sl-apart", apart);
      if (apart) {
        ["left", "right"].forEach(function (side) { map.getPane("swipe-" + side).style.clipPath = ""; });
        return;
      }
      const size = map.getSize(), share = Number(range.value);
      const from = map.containerPointToLayerPoint([0, 0]), to = map.containerPointToLayerPoint(size);
      const at = from.x + size.x * share;
      const cut = function (a, b) {
        return "polygon(" + [[a, from.y], [b, from.y], [b, to.y], [a, to.y]].map(function (p) {
          return p[0] + "px " + p[1] + "px";
        }) + ")";
      };
      map.getPane("swipe-left").style.clipPath = cut(from.x, at);
      map.getPane("swipe-right").style.clipPath = cut(at, to.x);
      line.style.left = (size.x * share - 1) + "px";
      [share, 1 - share].forEach(function (part, side) {  // of its side, but for its margins and the zoom buttons
        labels[side].style.maxWidth = Math.max(0, size.x * part - (side ? 16 : 62)) + "px";
        labels[side].style.visibility = size.x * part < 60 ? "hidden" : "";
      });
      labels[0].style.right = (size.x * (1 - share)) + "px";
      labels[1].style.left = (size.x * share) + "px";
    };
    range.addEventListener("input", clip);
    map.on("move zoomend resize viewreset", clip);
    swipe = { clip: clip, share: function () { return Number(range.value); } };
    clip();
    panel.open = false;  // it would hide a label
  }

  // ---- drawings

  // After a remount the page still knows the drawn area: show it again, once. Later the page may put another drawing
  // in its place, to be edited, or none, once the drawing was used.
  function updateDrawing(next) {
    const group = window.drawnItems, given = next.replaced;
    if (!group || !group.getLayers) return;
    if (!restored) {
      restored = true;
      lastReplaced = given.number;
      lastVisible = next.visible;
      if (!group.getLayers().length) addDrawing(group, next.drawn);
    } else if (next.visible !== lastVisible) {
      lastVisible = next.visible;
      drawVisible(group, next.visible);
    } else if (given.number !== lastReplaced) {
      lastReplaced = given.number;
      leaveEditing();
      group.clearLayers();
      addDrawing(group, given.drawing);
      const edit = map.getContainer().querySelector(".leaflet-draw-edit-edit"), size = map.getSize();
      if (!given.drawing || !edit) return unfold();
      // As large as the map can show it beside its tools, so that its corners are apart. The legend would cover some,
      // also of what is drawn, until it is used or deleted.
      folded = folded || legend.open;
      legend.open = false;
      map.once("draw:deleted", unfold);
      map.fitBounds(group.getBounds(), {
        paddingTopLeft: [Math.min(160, size.x / 5), Math.min(110, size.y / 4)], paddingBottomRight: [40, 40],
        maxZoom: settings.maxZoom, animate: false,
      });
      edit.click();
    }
  }

  function unfold() {
    legend.open = legend.open || folded;
    folded = false;
  }

  // What the map shows of the image becomes the drawn area, in place of any other: a rectangle like one drawn by hand.
  function drawVisible(group, number) {
    const view = map.getBounds(), image = L.latLngBounds(settings.bounds);
    if (view.contains(image)) return tellFor(word(WHOLE));
    const south = Math.max(view.getSouth(), image.getSouth()), north = Math.min(view.getNorth(), image.getNorth());
    const west = Math.max(view.getWest(), image.getWest()), east = Math.min(view.getEast(), image.getEast());
    if (south >= north || west >= east) return tellFor(word("No part of the image is visible. Move the map to the image."));
    leaveEditing();
    group.clearLayers();
    const part = L.rectangle([[south, west], [north, east]], settings.drawStyle);
    part.feature = { type: "Feature", properties: { visible: number } };  // what is told differs from what was told before
    map.fire("draw:created", { layer: part, layerType: "rectangle" });
  }

  function tellFor(words) {
    tell(words);
    setTimeout(function () { untell(words); }, PATIENCE);
  }

  // The clicks that set corners choose nothing: neither a place nor a polygon below them. What follows the last one comes
  // after the drawing has ended.
  function muteWhileDrawing() {
    const fire = map.fire;
    let drawing = false, ending;
    map.on("draw:drawstart draw:editstart", function () {
      clearTimeout(ending);
      drawing = true;
      map.getPane("overlayPane").style.pointerEvents = "none";
    });
    map.on("draw:drawstop draw:editstop", function () {
      ending = setTimeout(function () {
        drawing = false;
        map.getPane("overlayPane").style.pointerEvents = "";
      }, 300);
    });
    map.fire = function (type) {
      return drawing && type === "click" ? map : fire.apply(map, arguments);
    };
  }

  // Handles of an outline that is edited: small and round, so that they do not cover it, and larger for a finger. Leaflet
  // takes every screen for one that is touched. Those in the middle of a side, which make a new corner, are fainter.
  function makeHandles() {
    const edit = L.Edit && L.Edit.PolyVerticesEdit;
    if (!edit) return;
    const size = window.matchMedia("(pointer: coarse)").matches ? 16 : 9;
    const icon = L.divIcon({ iconSize: [size, size], className: "leaflet-div-icon leaflet-editing-icon sl-handle" });
    Object.assign(edit.prototype.options, { icon: icon, touchIcon: icon });
    // While an outline is drawn, a corner takes no more room than is seen of it: the next one may be close to it.
    const corner = L.divIcon({ iconSize: [size, size], className: "leaflet-div-icon leaflet-editing-icon sl-corner" });
    const line = L.Draw.Polyline.prototype, create = line._createMarker;
    line._createMarker = function (place) {
      this.options.icon = corner;  // the tools were made, each with an icon of its own, before this is known
      return create.call(this, place);
    };
  }

  // Until the pointer is over the map, Leaflet's hint stands in its corner, below the buttons: it is put beside them.
  function placeHint() {
    let waiting = false;
    const put = function () {
      const hint = waiting && map.getPane("popupPane").querySelector(".leaflet-draw-tooltip");
      if (hint) L.DomUtil.setPosition(hint, map.containerPointToLayerPoint([44, 84]));
    };
    map.on("draw:drawstart draw:editstart draw:deletestart", function () {
      waiting = true;
      setTimeout(put, 0);  // the hint is made after its start was told
    });
    map.on("mousemove", function () { waiting = false; });
    map.on("moveend", put);
  }

  // Ends an editing that is under way as its own button does, so that no handle stays.
  function leaveEditing() {
    const actions = [...map.getContainer().querySelectorAll(".leaflet-draw-actions a")];
    const shown = actions.filter(function (link) { return link.offsetParent !== null; });
    if (shown.length) shown[shown.length - 1].click();
  }

  function addDrawing(group, geometry) {
    if (!geometry) return;
    L.geoJSON(geometry, { style: settings.drawStyle }).eachLayer(function (part) {
      // Each part becomes a layer of its own, because only such can be edited.
      const rings = part.getLatLngs();
      const several = part.feature.geometry.type === "MultiPolygon" ? rings : [rings];
      several.forEach(function (ring) { group.addLayer(L.polygon(ring, settings.drawStyle)); });
    });
  }

  // ---- keys

  // Letters are shortcuts of the page, which does not hear them while this frame has the focus, as after a click on
  // the map.
  function forwardKeys() {
    const forward = function (event) {
      const typed = event.target.closest && event.target.closest("input, textarea, select");
      if (typed || event.repeat || event.ctrlKey || event.metaKey || event.altKey || !/^[a-z]$/i.test(event.key)) return;
      const page = window.parent;
      if (page === window) return;
      const told = { key: event.key, code: event.code, shiftKey: event.shiftKey, bubbles: true, cancelable: true };
      try {
        page.document.body.dispatchEvent(new page.KeyboardEvent(event.type, told));
      } catch (error) {
        if (error.name !== "SecurityError") throw error;  // the map stands in a page of another server
      }
    };
    document.addEventListener("keydown", forward);
    document.addEventListener("keyup", forward);  // a key that is not let go would be taken for a part of the next
  }

  // ---- modules

  // What a module is given. It gives back what it answers to: placed, refresh, legend, hides, active, second, layers.
  function kit() {
    return {
      map: map, settings: settings, places: places, make: make, word: word, tool: tool, tell: tell, untell: untell, refresh: refresh,
      tileLayer: tileLayer, seen: seen,
      pointer: function (lines) { showPointer(lines); },
      // Legend and list of layers fold away where a map becomes too narrow for them.
      fold: function () { if (map.getContainer().clientWidth < 760) panel.open = legend.open = false; },
      opacity: function (spec) { return choice("opacity", spec); },
      keep: function (name, value) { remember(name, value, page()); },
      recall: function (name) { return remember(name, undefined, page()); },
      rasters: function () {
        return [...tiles.values()].sort(function (a, b) { return a.zIndex - b.zIndex; })
          .map(function (entry) { return entry.spec; });
      },
      outlines: function () {
        return [...vectors.values()].filter(function (entry) { return seen(entry.spec); }).map(function (entry) {
          const spec = entry.spec, all = spec.features.features;
          const features = { type: "FeatureCollection", features: all.slice(0, spec.most || all.length).reverse() };
          const look = function (feature) { return style(spec, feature, selection); };
          return { spec: { id: spec.id, features: features }, text: entry.text, style: look };
        });
      },
    };
  }

  function ask(name, ...words) {
    return modules.filter(function (module) { return module[name]; }).map(function (module) { return module[name](...words); });
  }

  function start(target, given, extra) {
    map = target;
    settings = given;
    reloaded = isReloaded();
    shown = remember("layers", undefined, page()) || {};
    const sheet = make("style", "", settings.css);
    document.body.append(sheet);
    renderer = L.canvas({ padding: 0.5 });
    // A quarter of a zoom lets a scene fill the map; the buttons still take whole steps.
    map.options.zoomSnap = 0.25;
    map.setMinZoom(settings.minZoom);
    map.setMaxZoom(settings.maxZoom);
    map.attributionControl.setPrefix(false);
    // Leaflet focuses the map at each press. Where the map reaches below the window, the browser then scrolled the
    // page between press and click, and the click met another place.
    const frame = map.getContainer();
    frame.focus = function () { HTMLElement.prototype.focus.call(frame, { preventScroll: true }); };
    map.getContainer().querySelectorAll(".leaflet-control-zoom a").forEach(function (link) {
      link.title = word(link.title);
      link.setAttribute("aria-label", link.title);
    });
    forwardKeys();
    const width = map.getContainer().clientWidth;
    panel = box("topright", "Layers", width >= 1300);
    legend = box("bottomright", "Legend", width > 460);
    legend.style.display = "none";
    places = window.slidelensPlaces(settings);
    makeBar();
    makeScale();
    makePointer();
    muteWhileDrawing();
    makeHandles();
    placeHint();
    modules = extra.map(function (module) { return module(kit()); });
    new ResizeObserver(resized).observe(map.getContainer());
  }

  function update(next) {
    map.getContainer().classList.toggle("sl-dark", next.dark);
    picture = next.picture;
    window.slidelensWords.learn(next.words);
    if (next.swipe && !swipe) makeSwipe(next.swipe);
    updateTiles(next.tiles);
    updateVectors(next.vectors, next.selected);
    drawPanel();
    refresh();
    if (marker) map.removeLayer(marker);
    // A ring, so that what was clicked is seen in it.
    marker = next.marker && L.featureGroup([["#ffffff", 5], ["#000000", 2]].map(function (line) {
      return L.circleMarker(next.marker, { radius: 7, color: line[0], weight: line[1], fill: false, interactive: false });
    })).addTo(map);
    updateDrawing(next);
    // Who comes by an address that names a landslide is shown it once, wherever the map was left.
    if (next.arrival && next.focus && remember("arrival") !== next.arrival) {
      remember("arrival", next.arrival);
      arrives = !placed && !reloaded;
    }
    reloaded = false;
    const focus = JSON.stringify(next.focus);
    if (next.focus && focus !== lastFocus && placed) show(next.focus);
    lastFocus = focus;
    toShow = next.focus;
  }

  return {
    start: start, update: update, bounds: function () { return settings.bounds; }, places: function () { return places; },
    second: function () { return ask("second").find(Boolean) || null; },
  };
})();
