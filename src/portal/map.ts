import { shownPosition } from '../geolocation/positions.ts';
import type { ListedEwon } from './ewons.ts';
import { type Html, html } from './html.ts';

const WIDTH = 900;
const HEIGHT = 500;
/** Degrees that are shown around a single Ewon. */
const MIN_SPAN = 4;

interface Point {
  ewon: ListedEwon;
  latitude: number;
  longitude: number;
}

/**
 * The map of the located Ewons (M2W-04): a plain projection of as much of the world as they take, with a line every so many
 * degrees. It loads nothing from elsewhere, so nobody learns which Ewons an account has.
 */
export function mapOf(ewons: readonly ListedEwon[]): Html {
  const points = ewons.flatMap((ewon): Point[] => {
    const position = shownPosition(ewon);
    return position ? [{ ewon, ...position }] : [];
  });
  if (points.length === 0) return html`<p>No Ewon is located.</p>`;
  const x = scale(
    points.map(({ longitude }) => longitude),
    WIDTH,
  );
  const y = scale(
    points.map(({ latitude }) => latitude),
    HEIGHT,
  );
  return html`<svg class="map" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Map of the located Ewons">
${x.lines.map(({ at, degrees }) => html`<line x1="${at}" x2="${at}" y1="0" y2="${HEIGHT}"/><text x="${at + 3}" y="${HEIGHT - 4}">${degrees}°</text>`)}
${y.lines.map(({ at, degrees }) => html`<line x1="0" x2="${WIDTH}" y1="${HEIGHT - at}" y2="${HEIGHT - at}"/><text x="3" y="${HEIGHT - at - 3}">${degrees}°</text>`)}
${byPlace(points).map(({ latitude, longitude, here }) => {
  const [cx, cy] = [x.place(longitude), HEIGHT - y.place(latitude)];
  return here.map(
    ({ ewon }, index) =>
      html`<a href="/m2web/ewons/${ewon.reference}"><circle cx="${cx}" cy="${round(cy + index * 14)}" r="6" class="${ewon.status.toLowerCase()}"><title>${ewon.name}: ${ewon.status}</title></circle><text x="${round(cx + 9)}" y="${round(cy + 4 + index * 14)}">${ewon.name}</text></a>
`,
  );
})}
</svg>`;
}

/** Ewons of one city stand below each other. */
function byPlace(points: readonly Point[]): { latitude: number; longitude: number; here: Point[] }[] {
  const places = new Map<string, { latitude: number; longitude: number; here: Point[] }>();
  for (const point of points) {
    const { latitude, longitude } = point;
    const key = `${latitude} ${longitude}`;
    const place = places.get(key) ?? { latitude, longitude, here: [] };
    place.here.push(point);
    places.set(key, place);
  }
  return [...places.values()];
}

function scale(degrees: readonly number[], size: number) {
  const [least, most] = [Math.min(...degrees), Math.max(...degrees)];
  const span = Math.max(MIN_SPAN, (most - least) * 1.3);
  const from = (least + most - span) / 2;
  const place = (value: number) => round(((value - from) / span) * size);
  const step = [1, 2, 5, 10, 20, 45].find((each) => span / each <= 10) ?? 45;
  const first = Math.ceil(from / step) * step;
  const lines = Array.from({ length: Math.ceil((from + span - first) / step) }, (_, index) => first + index * step);
  return { place, lines: lines.map((line) => ({ at: place(line), degrees: line })) };
}

const round = (value: number): number => Math.round(value * 10) / 10;
