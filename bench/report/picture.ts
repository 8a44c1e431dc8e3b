/** Pictures of their own, for a page that may be light or dark: colours follow the reader's setting. */

const STYLE = `
text { font: 11px system-ui, sans-serif; fill: #24292f; }
.title { font-weight: 600; font-size: 13px; }
.value, .tick { font-size: 10px; fill: #57606a; }
.back { fill: #ffffff; }
.grid { stroke: #d0d7de; stroke-width: 1; }
.line { fill: none; stroke-width: 2; }
.s0 { fill: #0969da; } .s1 { fill: #8250df; } .s2 { fill: #cf222e; } .s3 { fill: #bf8700; }
.s4 { fill: #1a7f37; }
.l0 { stroke: #0969da; } .l1 { stroke: #8250df; } .l2 { stroke: #1a7f37; }
.dashed { stroke-dasharray: 5 4; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .value, .tick { fill: #9198a1; }
  .back { fill: #0d1117; }
  .grid { stroke: #30363d; }
  .s0 { fill: #4493f8; } .s1 { fill: #ab7df8; } .s2 { fill: #f85149; } .s3 { fill: #d29922; }
  .s4 { fill: #3fb950; }
  .l0 { stroke: #4493f8; } .l1 { stroke: #ab7df8; } .l2 { stroke: #3fb950; }
}`;

/** What a picture shows. `description` says it in words, for those who do not see it. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly title: string;
  readonly description: string;
  /** SVG elements. */
  readonly content: string;
}

/** Writes an SVG file. */
export function picture({ width, height, title, description, content }: Picture): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${Math.ceil(height)}" width="${width}" height="${Math.ceil(height)}" role="img" aria-labelledby="title description">
<title id="title">${escaped(title)}</title>
<desc id="description">${escaped(description)}</desc>
<style>${STYLE}
</style>
<rect class="back" width="100%" height="100%" rx="6"/>
${content}
</svg>
`;
}

export function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
