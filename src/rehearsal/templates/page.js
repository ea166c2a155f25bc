"use strict";

const dark = matchMedia("(prefers-color-scheme: dark)");

// Nothing here depends on the time or on chance, so that a page looks the same whenever it is opened.
function configure() {
  mermaid.initialize({
    startOnLoad: false,
    securityLevel: "strict",
    // What a comment's own %%{init}%% may not change.
    secure: ["secure", "securityLevel", "startOnLoad", "maxTextSize", "maxEdges", "suppressErrorRendering",
             "htmlLabels", "flowchart", "themeCSS", "fontFamily", "altFontFamily", "dompurifyConfig"],
    suppressErrorRendering: true,
    htmlLabels: false,
    flowchart: { htmlLabels: false },
    deterministicIds: true,
    deterministicIDSeed: "chart",
    theme: dark.matches ? "dark" : "default",
    themeVariables: { xyChart: { backgroundColor: "transparent" } },
    fontFamily: "system-ui, sans-serif",
  });
}

async function draw(pre, id) {
  const figure = pre.parentElement;
  const note = figure.querySelector("figcaption") || figure.insertBefore(document.createElement("figcaption"), pre);
  try {
    const { svg } = await mermaid.render(id, pre.textContent);
    figure.querySelector(".drawing")?.remove();
    const drawing = document.createElement("div");
    drawing.className = "drawing";
    drawing.innerHTML = svg;
    for (const link of drawing.querySelectorAll("a")) link.setAttribute("rel", "nofollow noopener noreferrer");
    figure.append(drawing);
    figure.classList.add("drawn");
  } catch (error) {
    document.getElementById("d" + id)?.remove();
    figure.classList.add("failed");
    note.textContent = "This chart cannot be drawn. Its text:";
  }
}

async function drawAll() {
  if (typeof mermaid === "undefined") return;
  configure();
  let number = 0;
  for (const pre of document.querySelectorAll("figure.chart > pre")) await draw(pre, `chart-${++number}`);
  document.documentElement.dataset.charts = "done";
}

// Boxes that scroll can be reached by keyboard in every browser.
function reach() {
  for (const box of document.querySelectorAll(".scroll, pre"))
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
}

reach();
document.addEventListener("toggle", reach, true);
addEventListener("resize", reach);
dark.addEventListener("change", drawAll);
drawAll();
