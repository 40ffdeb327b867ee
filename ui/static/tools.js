// Tools beside the zoom buttons: go to a coordinate, measure. They change nothing on the page and are told to nobody.
window.slidelensTools = function (kit) {
  "use strict";

  const map = kit.map, make = kit.make, word = kit.word, places = kit.places;
  const ICONS = {
    target: "M8 1v4M8 11v4M1 8h4M11 8h4M8 4.5a3.5 3.5 0 1 0 0 7a3.5 3.5 0 1 0 0-7",
    ruler: "M1.5 11l9.5-9.5l3.5 3.5L5 14.5zM4 8.5l1.5 1.5M6.5 6l1.5 1.5M9 3.5l1.5 1.5",
  };
  let pin = null, open = null;

  // ---- a box below the buttons, one at a time

  function box(title, close) {
    shut();
    const node = make("div", "sl-tool-box"), head = make("div", "sl-tool-head"), end = make("button", "", word("Close"));
    node.setAttribute("role", "group");
    node.setAttribute("aria-label", word(title));
    end.type = "button";
    end.addEventListener("click", shut);
    head.append(make("strong", "", word(title)), end);
    node.append(head);
    L.DomEvent.disableClickPropagation(node);
    L.DomEvent.disableScrollPropagation(node);
    node.addEventListener("keydown", function (event) { if (event.key === "Escape") shut(); });
    map.getContainer().append(node);
    open = { node: node, title: title, close: close };
    return node;
  }

  function shut() {
    if (!open) return;
    const was = open;
    open = null;
    was.node.remove();
    if (was.close) was.close();
  }

  function toggle(title, show) { return function () { if (open && open.title === title) shut(); else show(title); }; }

  // ---- go to a coordinate

  function goTo(title) {
    const node = box(title, null), form = make("form", "sl-goto"), field = make("input"), press = make("button", "", word("Go"));
    const told = make("div", "sl-note");
    told.setAttribute("role", "status");
    told.textContent = word("Enter {example}.", { example: places.example() });
    field.type = "text";
    field.maxLength = 200;
    field.setAttribute("aria-label", word("Coordinate"));
    field.spellcheck = false;
    form.append(field, press);
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      const found = places.read(field.value);
      told.textContent = found.error || word("Read as {how}.", { how: found.how });
      field.setAttribute("aria-invalid", String(Boolean(found.error)));
      if (found.at) show(found.at);
    });
    node.append(form, told);
    field.focus({ preventScroll: true });
  }

  function show(at) {
    if (pin) map.removeLayer(pin);
    pin = L.featureGroup([[9, "#000000", 5], [9, "#ffffff", 2.5]].map(function (ring) {
      return L.circleMarker(at, { radius: ring[0], color: ring[1], weight: ring[2], fill: false, interactive: false });
    })).addTo(map);
    map.setView(at, Math.max(map.getZoom(), kit.settings.nativeZoom - 1));
  }

  // ---- measure a length and an area

  function measure(title) {
    const pane = map.getPane("sl-measure") || map.createPane("sl-measure"), line = [];
    pane.style.zIndex = 640;
    pane.style.pointerEvents = "none";
    const glass = make("div", "sl-glass"), draw = drawing();
    const node = box(title, function () { glass.remove(); draw.remove(); });
    const told = make("div", "sl-measured"), row = make("div", "sl-tool-row");
    told.setAttribute("role", "status");
    const say = function (more) { told.replaceChildren(...sentences(more).map(function (one) { return make("div", "", one); })); };
    const change = function (act) { act(); draw.show(line, null); say(null); };
    row.append(button(word("Undo"), function () { change(function () { line.pop(); }); }),
      button(word("Clear"), function () { change(function () { line.length = 0; }); }));
    node.append(told, row);
    map.getContainer().append(glass);

    function sentences(pointer) {
      const all = pointer ? line.concat([pointer]) : line;
      if (all.length < 2) return [word("Click points on the map.")];
      const found = places.measured(all);
      if (!found) return [word("These points are too far apart to measure on this map.")];
      const words = [word("Length {length}", { length: places.lengthWords(found.length, found.unit) })];
      if (all.length > 2) words.push(word("Area {area}", { area: places.areaWords(found.area, found.unit) }));
      return words;
    }

    // A click that ends a drag is none; no click reaches the map, which would tell it to the page.
    glass.addEventListener("click", function (event) {
      event.stopPropagation();
      if (map.dragging && map.dragging.moved()) return;
      change(function () { line.push(map.mouseEventToLatLng(event)); });
    });
    glass.addEventListener("dblclick", function (event) { event.stopPropagation(); });
    glass.addEventListener("mousemove", function (event) {
      if (!line.length) return;
      const pointer = map.mouseEventToLatLng(event);
      draw.show(line, pointer);
      say(pointer);
    });
    glass.addEventListener("mouseleave", function () { draw.show(line, null); say(null); });
    say(null);
  }

  // White on black, to be seen on ground of any colour; closed where it holds an area.
  function drawing() {
    const renderer = L.svg({ pane: "sl-measure" }), group = L.featureGroup().addTo(map);
    const show = function (line, pointer) {
      const all = pointer ? line.concat([pointer]) : line;
      group.clearLayers();
      [["#000000", 4], ["#ffffff", 2]].forEach(function (stroke) {
        const how = { renderer: renderer, interactive: false, color: stroke[0], weight: stroke[1], fill: false };
        group.addLayer(L.polyline(all, how));
        if (all.length > 2) {
          group.addLayer(L.polyline([all[all.length - 1], all[0]], Object.assign({ dashArray: "4 5" }, how)));
        }
      });
      line.forEach(function (at) {
        group.addLayer(L.circleMarker(at, {
          renderer: renderer, interactive: false, radius: 3.5, color: "#000000", weight: 1.5, fillColor: "#ffffff", fillOpacity: 1,
        }));
      });
    };
    return { show: show, remove: function () { map.removeLayer(group); map.removeLayer(renderer); } };
  }

  function button(words, act) {
    const node = make("button", "", words);
    node.type = "button";
    node.addEventListener("click", act);
    return node;
  }

  kit.tool("Go to a coordinate", ICONS.target, toggle("Go to a coordinate", goTo));
  kit.tool("Measure length and area", ICONS.ruler, toggle("Measure length and area", measure));
  return {};
};
