/** Places of the boxes of a network's picture, from top to bottom. */
import { plural } from "@shared/text.ts";
import type { Arrow, Box } from "./networkPicture.ts";

export interface Placed {
  readonly box: Box;
  /** Upper left corner. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly lines: readonly string[];
}

export interface Layout {
  /** Open modules before what is in them. */
  readonly placed: readonly Placed[];
  /** Paths of SVG. */
  readonly arrows: readonly (Arrow & { readonly path: string })[];
  readonly width: number;
  readonly height: number;
}

const maxCharacters = 34;
export const lineHeight = 15;
const padding = 9;
const character = 6.7;
const margin = 14;

const short = (text: string) => (text.length > maxCharacters ? `${text.slice(0, maxCharacters - 1)}…` : text);

/** Names of groups in one line; the first ones of many. */
export const shortGroups = (groups: readonly string[]): string => short(groups.join(" · "));

/** Lines under the title. */
function linesOf({ detail, shape, parameters, kind }: Box): string[] {
  const facts = [detail, shape === "" ? "" : `→ ${shape}`].filter((part) => part !== "");
  const listed = parameters.map(({ name, shape: of }) => `${name.slice(name.lastIndexOf(".") + 1)} ${of}`).join(", ");
  const held = kind === "closed" && parameters.length > 0 ? plural(parameters.length, "parameter") : listed;
  return [...(facts.join(" ").length > maxCharacters ? facts : [facts.join(" ")]), held].filter((line) => line !== "").map(short);
}

export async function layOut(boxes: readonly Box[], arrows: readonly Arrow[]): Promise<Layout> {
  const { Graph, layout } = await import("@dagrejs/dagre");
  const graph = new Graph({ compound: true });
  graph.setGraph({ rankdir: "TB", ranksep: 34, nodesep: 22, edgesep: 12, marginx: margin, marginy: margin });
  graph.setDefaultEdgeLabel(() => ({}));
  const lines = new Map(boxes.map((box) => [box.id, linesOf(box)]));
  for (const box of boxes) {
    const texts = [`${box.title}${box.kind === "closed" ? " +" : ""}`, ...lines.get(box.id)!];
    const chips = box.groups.length > 0 && box.kind !== "open" ? 1 : 0;
    const width = Math.max(84, ...texts.map((text) => Math.min(text.length, maxCharacters) * character + 2 * padding), ...(chips ? [shortGroups(box.groups).length * character + 2 * padding + 20] : []));
    graph.setNode(box.id, box.kind === "open" ? {} : { width, height: (texts.length + chips) * lineHeight + 2 * padding - 2 + 4 * chips });
  }
  for (const { id, parent } of boxes) if (parent !== null) graph.setParent(id, parent);
  for (const { from, to } of arrows) graph.setEdge(from, to);
  layout(graph);
  const placed = boxes.map((box): Placed => {
    const { x = 0, y = 0, width = 0, height = 0 } = graph.node(box.id) as { x?: number; y?: number; width?: number; height?: number };
    return { box, x: x - width / 2, y: y - height / 2, width, height, lines: lines.get(box.id)! };
  });
  const lead = arrows.map((arrow) => ({ ...arrow, points: (graph.edge(arrow.from, arrow.to) as { points: Point[] }).points }));
  // Arrows may leave the area that the boxes take.
  const across = [...placed.flatMap(({ x, width }) => [x, x + width]), ...lead.flatMap(({ points }) => points.map(({ x }) => x))];
  const left = across.reduce((least, x) => Math.min(least, x), 0) - margin;
  const right = across.reduce((most, x) => Math.max(most, x), 0) + margin;
  const moved = (point: Point) => ({ x: point.x - left, y: point.y });
  return {
    placed: placed.map((each) => ({ ...each, x: each.x - left })).toSorted((one, other) => other.width * other.height - one.width * one.height),
    arrows: lead.map(({ from, to, points }) => ({ from, to, path: curve(points.map(moved)) })),
    width: right - left,
    height: placed.reduce((most, { y, height }) => Math.max(most, y + height), 0) + margin,
  };
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** A line through the points with round corners. */
function curve(points: readonly Point[]): string {
  const at = ({ x, y }: Point) => `${x.toFixed(1)} ${y.toFixed(1)}`;
  const [first, ...rest] = points;
  if (!first || rest.length === 0) return "";
  const between = rest.slice(0, -1).map((point, i) => {
    const next = rest[i + 1]!;
    const end = i === rest.length - 2 ? next : { x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 };
    return `Q ${at(point)} ${at(end)}`;
  });
  return `M ${at(first)} ${between.length > 0 ? between.join(" ") : `L ${at(rest[0]!)}`}`;
}
