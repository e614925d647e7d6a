const $ = id => document.getElementById(id);

// A new element with text and attributes; never innerHTML, for labels are text.
function element(tag, parent, text = "", attributes = {}) {
  const made = document.createElement(tag);
  made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (parent) parent.appendChild(made);
  return made;
}

// A number with all its digits, as Python's repr writes it.
function written(x) {
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x > 0 ? "inf" : "-inf";
  if (x === 0) return Object.is(x, -0) ? "-0.0" : "0.0";
  const size = Math.abs(x);
  if (size >= 1e-4 && size < 1e16) {
    const text = String(x);
    return text.includes(".") ? text : text + ".0";
  }
  return withPowersOfTen(x.toExponential());
}
function withPowersOfTen(text) {  // Python's exponents have two digits
  return text.replace(/e([+-])(\d)$/, "e$10$2");
}

// A number as drawings show it: four decimals, or three in powers of ten where that hides it.
function shown(x) {
  if (!Number.isFinite(x)) return written(x);
  const size = Math.abs(x), fixed = size === 0 || (size >= 1e-3 && size < 1e6);
  const text = fixed ? halfToEven(size.toFixed(20), 4) : halfToEven(size.toExponential(40), 3);
  return (x < 0 || Object.is(x, -0) ? "-" : "") + withPowersOfTen(text ||
    (fixed ? size.toFixed(4) : size.toExponential(3)));
}
// Python rounds what lies in the middle to the even digit, JavaScript away from zero; "" for all else.
function halfToEven(exact, digits) {
  const found = /^(\d+\.\d+?)50*(e.*)?$/.exec(exact);
  if (!found || found[1].length - found[1].indexOf(".") - 1 !== digits) return "";
  return "02468".includes(found[1].slice(-1)) ? found[1] + (found[2] || "") : "";
}

// The ends of a slider for a number: a round number beyond it on both sides of 0.
function reach(x) {
  const size = Math.abs(x);
  if (!Number.isFinite(size)) return 10;
  if (size === 0 || (size >= 1e-3 && size <= 1)) return 2;
  const power = 10 ** Math.floor(Math.log10(Math.max(size, 1e-300)));
  for (const step of [2, 5, 10, 20]) {
    if (step * power >= 2 * size || step === 20) return Math.min(step * power, 8e307);
  }
}

// A number as a field has room for it; all its digits are there while one types.
const fitting = x => String(x).length <= 10 ? x : Number(x.toPrecision(7));

// A slider and a number field for one number: {box, slider, field, value, set(x)}.
// options: {label, value, changed(x), min, max, log, id}; without min and max the slider reaches
// beyond the number on both sides of 0, and further when the field asks for more; with log, the
// slider itself stands at the power of ten.
function dial(options) {
  const box = element("div", null, "", {class: "dial"});
  const name = element("span", box, options.label, {class: "dial-label"});
  const made = {box, name, value: options.value};
  const common = {"data-label": options.label, step: "any"};
  made.slider = element("input", box, "", {...common, type: "range", "aria-label": options.label});
  made.field = element("input", box, "", {...common, type: "number", "aria-label": options.label + ", number"});
  if (options.id) made.slider.id = options.id;
  const onSlider = options.log ? Math.log10 : x => x, fromSlider = options.log ? x => 10 ** x : x => x;
  const free = options.min === undefined;
  function ends(low, high) { made.slider.min = low; made.slider.max = high; }
  if (!free) ends(onSlider(options.min), onSlider(options.max));
  function place(x) {
    made.value = x;
    if (free && !(Math.abs(x) <= made.end)) { made.end = reach(x); ends(-made.end, made.end); }
    made.slider.setAttribute("aria-valuetext", written(x));
    made.field.removeAttribute("aria-invalid");
    made.field.placeholder = Number.isFinite(x) ? "" : written(x);
  }
  made.set = x => {
    place(x);
    made.slider.value = Number.isFinite(x) ? onSlider(x) : 0;
    made.field.value = Number.isFinite(x) ? fitting(x) : "";
  };
  made.slider.addEventListener("input", () => {
    const x = fromSlider(Number(made.slider.value));
    place(x);
    made.field.value = fitting(x);
    options.changed(x);
  });
  made.field.addEventListener("input", () => {
    const x = made.field.valueAsNumber;
    if (Number.isNaN(x) || (options.log && x <= 0)) { made.field.setAttribute("aria-invalid", "true"); return; }
    place(x);
    made.slider.value = onSlider(x);
    options.changed(x);
  });
  made.field.addEventListener("focus", () => { if (Number.isFinite(made.value)) made.field.value = made.value; });
  made.field.addEventListener("blur", () => { if (made.field.valueAsNumber === made.value) made.field.value = fitting(made.value); });
  made.end = -1;
  made.set(options.value);
  return made;
}
