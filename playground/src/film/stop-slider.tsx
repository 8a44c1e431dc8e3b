import type { JSX } from "preact";

interface StopSliderProps {
  readonly name: string;
  /** In ascending order. */
  readonly stops: readonly number[];
  readonly value: number;
  readonly format: (value: number) => string;
  readonly onChange: (value: number) => void;
}

/** A slider over values that are not evenly spaced. A value between two of them, from a link, is kept until the slider moves. */
export function StopSlider({ name, stops, value, format, onChange }: StopSliderProps): JSX.Element {
  return (
    <label class="size">
      <span>
        {name} <output>{format(value)}</output>
      </span>
      <input
        type="range"
        min={0}
        max={stops.length - 1}
        value={nearest(stops, value)}
        aria-valuetext={format(value)}
        onInput={(event) => onChange(stops[Number(event.currentTarget.value)] ?? value)}
      />
    </label>
  );
}

function nearest(stops: readonly number[], value: number): number {
  const distances = stops.map((stop) => Math.abs(stop - value));
  return distances.indexOf(Math.min(...distances));
}
