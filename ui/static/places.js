// Where places lie: between the map, degrees and a scene's own coordinates; how long and how large things are on the
// ground; and what somebody meant who typed or pasted a coordinate. Numbers and words only: nothing here draws.
window.slidelensPlaces = function (settings) {
  "use strict";

  const word = window.slidelensWords.word;
  const known = settings.pointer, bounds = settings.bounds, kind = settings.kind, RAD = Math.PI / 180;
  const DEGREE = 5, REACH = 1.2;
  // WGS 84
  const A = 6378137, F = 1 / 298.257223563, B = A * (1 - F), E2 = F * (2 - F), E = Math.sqrt(E2);

  // ---- polynomials that stand for a projection; see core/serve/pointer.py

  function polynomial(terms, across, up) {
    let sum = 0, n = 0;
    for (let i = 0; i <= DEGREE; i++) for (let j = 0; j <= DEGREE - i; j++) sum += terms[n++] * across ** i * up ** j;
    return sum;
  }

  function mercator(latitude) { return Math.asinh(Math.tan(latitude * RAD)); }

  // The vertical axis on which the map is even: Mercator on the globe, y on a plane.
  function even(latitude) { return kind === "globe" ? mercator(latitude) : latitude; }

  function uneven(value) { return kind === "globe" ? Math.atan(Math.sinh(value)) / RAD : value; }

  // A place of the map on −1 to 1 over the scene, and back.
  function share(at) {
    const south = even(bounds[0][0]), north = even(bounds[1][0]);
    const across = 2 * (at.lng - bounds[0][1]) / (bounds[1][1] - bounds[0][1]) - 1;
    return [across, 2 * (even(at.lat) - south) / (north - south) - 1];
  }

  function placeOf(across, up) {
    const south = even(bounds[0][0]), north = even(bounds[1][0]);
    const lng = bounds[0][1] + (across + 1) / 2 * (bounds[1][1] - bounds[0][1]);
    return { lat: uneven(south + (up + 1) / 2 * (north - south)), lng: lng };
  }

  function near(across, up) { return Math.abs(across) <= REACH && Math.abs(up) <= REACH; }

  // Where some polynomials come to some values: Gauss and Newton, from the middle of the scene.
  function solve(terms, wanted) {
    const misses = function (at) {
      return terms.map(function (one, n) { return polynomial(one, at[0], at[1]) - wanted[n]; });
    };
    let at = [0, 0];
    for (let turn = 0; turn < 12; turn++) {
      const miss = misses(at), step = 1e-4;
      const slopes = [0, 1].map(function (axis) {
        const there = at.slice();
        there[axis] += step;
        return misses(there).map(function (value, n) { return (value - miss[n]) / step; });
      });
      const dot = function (a, b) { return a.reduce(function (sum, value, n) { return sum + value * b[n]; }, 0); };
      const aa = dot(slopes[0], slopes[0]), ab = dot(slopes[0], slopes[1]), bb = dot(slopes[1], slopes[1]);
      const am = dot(slopes[0], miss), bm = dot(slopes[1], miss), determinant = aa * bb - ab * ab;
      if (!(Math.abs(determinant) > 0)) return null;
      const change = [(ab * bm - bb * am) / determinant, (ab * am - aa * bm) / determinant];
      at = [at[0] + change[0], at[1] + change[1]];
      if (!near(at[0] / 2, at[1] / 2)) return null;
      if (Math.hypot(change[0], change[1]) < 1e-10) return near(at[0], at[1]) ? at : null;
    }
    return null;
  }

  // ---- between the map, degrees and the scene's own coordinates

  // x and y of the scene's coordinate system; null where they are not known.
  function own(at) {
    if (kind !== "globe") return [at.lng, at.lat];
    const [across, up] = share(at);
    if (!known.terms || !near(across, up)) return null;
    return known.terms.map(function (terms) { return polynomial(terms, across, up); });
  }

  function fromOwn(x, y) {
    if (kind !== "globe") return { lat: y, lng: x };
    const found = known.terms && solve(known.terms, [x, y]);
    return found ? placeOf(found[0], found[1]) : null;
  }

  // Latitude and longitude; null on a map without a coordinate system and far beyond a scene on a plane.
  function degrees(at) {
    if (kind === "globe") return [at.lat, turned(at.lng)];
    if (!known.earth) return null;
    const [across, up] = share(at);
    if (!near(across, up)) return null;
    const [x, y, z] = known.earth.map(function (terms) { return polynomial(terms, across, up); });
    return [Math.atan2(z, (1 - E2) * Math.hypot(x, y)) / RAD, Math.atan2(y, x) / RAD];
  }

  function fromDegrees(latitude, longitude) {
    if (kind === "globe") {
      const middle = (bounds[0][1] + bounds[1][1]) / 2;
      return { lat: latitude, lng: longitude - 360 * Math.round((longitude - middle) / 360) };
    }
    if (!known.earth) return null;
    const s = Math.sin(latitude * RAD), c = Math.cos(latitude * RAD), n = 1 / Math.sqrt(1 - E2 * s * s);
    const found = solve(known.earth, [n * c * Math.cos(longitude * RAD), n * c * Math.sin(longitude * RAD), n * (1 - E2) * s]);
    return found ? placeOf(found[0], found[1]) : null;
  }

  function turned(longitude) { return longitude - 360 * Math.floor((longitude + 180) / 360); }

  function inside(at) {
    const spare = 1e-9 * (1 + Math.abs(bounds[1][0]) + Math.abs(bounds[1][1]));
    return at !== null && at.lat >= bounds[0][0] - spare && at.lat <= bounds[1][0] + spare &&
      at.lng >= bounds[0][1] - spare && at.lng <= bounds[1][1] + spare;
  }

  // ---- on the ground

  // Metres along the geodesic between two places in degrees (Vincenty 1975, doi:10.1179/sre.1975.23.176.88); null
  // where it does not come to an end, as between places on opposite sides of the earth.
  function geodesic(from, to) {
    const difference = (to[1] - from[1]) * RAD;
    const u1 = Math.atan((1 - F) * Math.tan(from[0] * RAD)), u2 = Math.atan((1 - F) * Math.tan(to[0] * RAD));
    const s1 = Math.sin(u1), c1 = Math.cos(u1), s2 = Math.sin(u2), c2 = Math.cos(u2);
    let angle = difference;
    for (let turn = 0; turn < 200; turn++) {
      const sa = Math.sin(angle), ca = Math.cos(angle);
      const sine = Math.hypot(c2 * sa, c1 * s2 - s1 * c2 * ca);
      if (sine === 0) return 0;
      const cosine = s1 * s2 + c1 * c2 * ca, sigma = Math.atan2(sine, cosine);
      const azimuth = c1 * c2 * sa / sine, square = 1 - azimuth * azimuth;
      const middle = square ? cosine - 2 * s1 * s2 / square : 0;
      const c = F / 16 * square * (4 + F * (4 - 3 * square));
      const before = angle;
      angle = difference + (1 - c) * F * azimuth *
        (sigma + c * sine * (middle + c * cosine * (2 * middle * middle - 1)));
      if (Math.abs(angle - before) > 1e-12) continue;
      const u = square * (A * A - B * B) / (B * B);
      const a = 1 + u / 16384 * (4096 + u * (u * (320 - 175 * u) - 768));
      const b = u / 1024 * (256 + u * (u * (74 - 47 * u) - 128));
      const less = b * sine * (middle + b / 4 * (cosine * (2 * middle * middle - 1) -
        b / 6 * middle * (4 * sine * sine - 3) * (4 * middle * middle - 3)));
      return B * a * (sigma - less);
    }
    return null;
  }

  // Sine of the latitude on the sphere of the earth's surface that keeps areas, and the square of its radius
  // (Snyder 1987, doi:10.3133/pp1395, equations 3-11 to 3-13).
  function q(sine) { return (1 - E2) * (sine / (1 - E2 * sine * sine) + Math.atanh(E * sine) / E); }
  const Q_POLE = q(1), SQUARE = A * A * Q_POLE / 2;

  // Square metres within a ring of places in degrees: the area between each side and the equator on that sphere.
  function area(ring) {
    let sum = 0, around = 0;
    ring.forEach(function (from, n) {
      const to = ring[(n + 1) % ring.length];
      let across = (to[1] - from[1]) * RAD;
      across -= 2 * Math.PI * Math.round(across / (2 * Math.PI));
      const half = [from, to].map(function (at) { return Math.tan(Math.asin(q(Math.sin(at[0] * RAD)) / Q_POLE) / 2); });
      sum += 2 * Math.atan2(Math.tan(across / 2) * (half[0] + half[1]), 1 + half[0] * half[1]);
      around += across;
    });
    // A ring around a pole leaves out what lies between its sides and that pole.
    return SQUARE * (Math.abs(around) > Math.PI ? 2 * Math.PI - Math.abs(sum) : Math.abs(sum));
  }

  // Length of a line of places of the map, and area within it: in metres, or in pixels of unknown size.
  function measured(line) {
    if (kind === "pixels") {
      let length = 0, twice = 0;
      line.forEach(function (at, n) {
        const next = line[(n + 1) % line.length];
        if (n < line.length - 1) length += Math.hypot(next.lng - at.lng, next.lat - at.lat);
        twice += at.lng * next.lat - next.lng * at.lat;
      });
      const size = known.metres || 1;  // entered by hand, or unknown
      return { length: length * size, area: Math.abs(twice) / 2 * size * size, unit: known.metres ? "m" : "px" };
    }
    const places = line.map(degrees);
    if (places.includes(null)) return null;
    let length = 0;
    for (let n = 1; n < places.length; n++) {
      const step = geodesic(places[n - 1], places[n]);
      if (step === null) return null;
      length += step;
    }
    return { length: length, area: area(places), unit: "m" };
  }

  // ---- words

  function grouped(value, digits) {
    return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  }

  function figures(value) {  // four figures that count, none invented
    return grouped(value, Math.max(0, Math.min(3, 3 - Math.floor(Math.log10(Math.max(value, 1e-3))))));
  }

  function lengthWords(metres, unit) {
    if (unit === "px") return figures(metres) + " px";
    return metres >= 1000 ? figures(metres / 1000) + " km" : figures(metres) + " m";
  }

  function areaWords(metres, unit) {
    if (unit === "px") return figures(metres) + " px²";
    if (metres >= 1e6) return figures(metres / 1e6) + " km²";
    return metres >= 1e4 ? figures(metres / 1e4) + " ha" : figures(metres) + " m²";
  }

  function compass(value, digits, letters) {
    return Math.abs(value).toFixed(digits) + "° " + letters[value < 0 ? 1 : 0];
  }

  // What is said of a place of the map, line by line.
  function words(at) {
    if (kind === "pixels") {
      const column = Math.floor(at.lng), row = Math.floor(-at.lat);
      const within = column >= 0 && row >= 0 && column < known.size[0] && row < known.size[1];
      return within ? [word("Column {column}, row {row}", { column: column, row: row })] : [];
    }
    const lines = [], angles = degrees(at), xy = known.system && own(at);
    if (angles) lines.push(compass(angles[0], known.digits, "NS") + ", " + compass(angles[1], known.digits, "EW"));
    if (xy) {
      const digits = known.systemDigits;
      lines.push("x " + grouped(xy[0], digits) + ", y " + grouped(xy[1], digits) + " (" + known.system + ")");
    }
    return lines;
  }

  // ---- reading a coordinate

  const NUMBER = "[-+−]?\\d+(?:[.,]\\d+)?";

  function number(text) { return Number(text.replace("−", "-").replace(",", ".")); }

  // Numbers written with commas between thousands, as this map writes them.
  function plain(text) {
    return text.replace(/(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])/g, function (found) { return found.replaceAll(",", ""); });
  }

  // Degrees, minutes and seconds with a letter, in either order.
  function readAngles(text) {
    const part = /([-+−]?\d+(?:[.,]\d+)?)\s*[°º]?\s*(?:(\d+(?:[.,]\d+)?)(?:\s*['′’](?!')|\s)\s*)?(?:(\d+(?:[.,]\d+)?)\s*(?:["″”]|'')?\s*)?/;
    const after = new RegExp(part.source + "([NSEW])", "gi"), before = new RegExp("([NSEW])\\s*" + part.source, "gi");
    const angle = function (degree, minutes, seconds, letter) {
      const size = Math.abs(number(degree)) + number(minutes || "0") / 60 + number(seconds || "0") / 3600;
      return { letter: letter.toUpperCase(), value: /[SW]/i.test(letter) || number(degree) < 0 ? -size : size };
    };
    const leading = /^\s*[NSEW]/i.test(text);
    const found = [...text.matchAll(leading ? before : after)].map(function (one) {
      return leading ? angle(one[2], one[3], one[4], one[1]) : angle(one[1], one[2], one[3], one[4]);
    });
    const north = found.find(function (one) { return "NS".includes(one.letter); });
    const east = found.find(function (one) { return "EW".includes(one.letter); });
    return found.length === 2 && north && east ? [north.value, east.value] : null;
  }

  // Two numbers, with what the text says of them.
  function readNumbers(text) {
    const labelled = /(?:x|easting|col(?:umn)?)\s*[:=]?\s*([-+−]?[\d.,]*\d)[\s,;]+(?:y|northing|row)\s*[:=]?\s*([-+−]?[\d.,]*\d)/i
      .exec(text);
    if (labelled) return { values: [plain(labelled[1]), plain(labelled[2])].map(number), own: true };
    const named = /lat\w*\s*[:=]?\s*([-+−]?[\d.,]*\d)[\s,;&]+(?:lon\w*|lng)\s*[:=]?\s*([-+−]?[\d.,]*\d)/i.exec(text);
    if (named) return { values: [named[1], named[2]].map(number), degrees: true };
    const point = /point\s*z?\s*\(\s*(\S+)\s+(\S+?)\s*[\s)]/i.exec(text);
    if (point) return { values: [point[1], point[2]].map(number), xy: true };
    const address = /(?:@|geo:|[?&](?:q|ll|query)=)([-+]?\d+(?:\.\d+)?),([-+]?\d+(?:\.\d+)?)/.exec(text);
    if (address) return { values: [address[1], address[2]].map(number), degrees: true };
    // "46.1, 8.2", "443055 5106403", "46,1; 8,2": a comma parts numbers unless they have commas of their own.
    const bare = text.replace(/[()[\]°º]/g, " ").trim(), dots = /^([-+−]?\d+(?:\.\d+)?)\s*[,;\s]\s*([-+−]?\d+(?:\.\d+)?)$/;
    const commas = new RegExp("^(" + NUMBER + ")\\s*(?:;|\\s)\\s*(" + NUMBER + ")$");
    const found = dots.exec(plain(bare)) || commas.exec(plain(bare)) || dots.exec(bare), decimal = commas.exec(bare);
    if (!found) return null;
    // "46,105 8,190" are thousands or decimals: which of them, the scene tells.
    return { values: [found[1], found[2]].map(number), other: decimal && [decimal[1], decimal[2]].map(number) };
  }

  function refusal(why) { return { error: why }; }

  function unread() {
    return refusal(word("No coordinate was recognised.") + " " + word("Enter {example}.", { example: example() }));
  }

  // The place that a text names: {at}, or {error} in words.
  function read(text) {
    const wanted = text.trim();
    if (!wanted) return refusal(word("Enter a coordinate."));
    const code = /\bEPSG:{1,2}(\d+)/i.exec(wanted), said = code ? "EPSG:" + code[1] : "";
    const bare = wanted.replace(/\(?\s*\bEPSG:{1,2}\d+\s*\)?;?/i, " ").trim();
    if (said && said !== "EPSG:4326" && said !== known.system) {
      const no = known.system ? "{code} is not the coordinate system of this map, {system}." :
        "{code} is not the coordinate system of this map.";
      return refusal(word(no, { code: said, system: known.system }) + " " + word("Enter latitude and longitude instead."));
    }
    const angles = kind === "pixels" ? null : readAngles(bare), found = angles ? null : readNumbers(bare);
    if (!angles && !found) return unread();
    const far = angles && Math.abs(angles[0]) > 90;  // "443055 E 5106403 N"
    const values = far ? [angles[1], angles[0]] : angles || found.values;
    if (!values.every(Number.isFinite)) return unread();
    const meant = far ? { own: true } : angles ? { degrees: true } : found;
    if (said === "EPSG:4326") meant.degrees = !meant.xy && !meant.own;
    return within([...candidates(values, meant, said), ...(meant.other ? candidates(meant.other, meant, said) : [])]);
  }

  // Readings of two numbers, the likeliest first: latitude and longitude, the scene's own x and y, longitude first.
  function candidates(values, meant, said) {
    const [a, b] = values, readings = [], backwards = word("longitude and latitude");
    const add = function (at, how) { if (at) readings.push({ at: at, how: how }); };
    if (kind === "pixels") {
      add({ lng: a + (Number.isInteger(a) ? 0.5 : 0), lat: -b - (Number.isInteger(b) ? 0.5 : 0) }, word("column and row"));
      return readings;
    }
    const angular = !meant.own && !(said && said === known.system && said !== "EPSG:4326");
    if (angular && !meant.xy && Math.abs(a) <= 90 && Math.abs(b) <= 360) add(fromDegrees(a, b), word("latitude and longitude"));
    if (!meant.degrees && known.system) add(fromOwn(a, b), word("x and y of {system}", { system: known.system }));
    if (angular && !meant.degrees && Math.abs(b) <= 90 && Math.abs(a) <= 360) add(fromDegrees(b, a), backwards);
    if (meant.own && !known.system && Math.abs(b) <= 90) add(fromDegrees(b, a), backwards);
    return readings;
  }

  function within(readings) {
    const found = readings.find(function (one) { return inside(one.at); });
    if (found) return found;
    const outside = function (how) {
      return how ? word("This location ({how}) is outside the map.", { how: how }) : word("This location is outside the map.");
    };
    if (readings.length) return refusal(outside(readings[0].how));
    const how = known.system && word("x and y of {system}", { system: known.system });
    return refusal(outside(how) + " " + word("Enter {example}.", { example: example() }));
  }

  // What can be entered, with numbers of this scene.
  function example() {
    const middle = { lat: (bounds[0][0] + bounds[1][0]) / 2, lng: (bounds[0][1] + bounds[1][1]) / 2 };
    if (kind === "pixels") return word("column, row, e.g. {pair}", { pair: Math.floor(middle.lng) + ", " + Math.floor(-middle.lat) });
    const angles = degrees(middle), xy = known.system && own(middle), ways = [];
    const pair = function (numbers, digits) { return numbers[0].toFixed(digits) + ", " + numbers[1].toFixed(digits); };
    if (angles) ways.push(word("latitude, longitude, e.g. {pair}", { pair: pair(angles, 4) }));
    if (xy) ways.push(word("x, y of {system}, e.g. {pair}", { system: known.system, pair: pair(xy, 0) }));
    return ways.length < 2 ? ways.join("") : word("{one}; or {other}", { one: ways[0], other: ways[1] });
  }

  return {
    own: own, degrees: degrees, inside: inside, measured: measured, words: words, read: read, example: example,
    lengthWords: lengthWords, areaWords: areaWords,
  };
};
