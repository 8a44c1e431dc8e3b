import type { JSX } from "preact";

interface PicksProps<Name extends string> {
  readonly legend: string;
  readonly picks: readonly Name[];
  readonly words: Readonly<Record<Name, readonly [name: string, about: string]>>;
  readonly value: Name;
  readonly onPick: (name: Name) => void;
}

/** A few names of which one is chosen, one below the other, each with a line about it. */
export function Picks<Name extends string>({ legend, picks, words, value, onPick }: PicksProps<Name>): JSX.Element {
  return (
    <fieldset class="modes">
      <legend>{legend}</legend>
      {picks.map((pick) => (
        <label key={pick} class="mode">
          <input type="radio" name={legend} value={pick} checked={value === pick} onChange={() => onPick(pick)} />
          <span class="mode-name">{words[pick][0]}</span>
          <span class="mode-about">{words[pick][1]}</span>
        </label>
      ))}
    </fieldset>
  );
}
