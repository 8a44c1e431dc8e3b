import type { JSX } from "preact";

interface ChoiceProps<Name extends string> {
  readonly legend: string;
  readonly names: readonly (readonly [name: Name, text: string])[];
  readonly value: Name;
  readonly onChange: (name: Name) => void;
  readonly isDisabled?: (name: Name) => boolean;
}

/** A few names of which one is chosen, side by side. */
export function Choice<Name extends string>(props: ChoiceProps<Name>): JSX.Element {
  const { legend, names, value, onChange, isDisabled } = props;
  return (
    <fieldset class="choice">
      <legend>{legend}</legend>
      <div>
        {names.map(([name, text]) => (
          <label key={name}>
            <input
              type="radio"
              name={legend}
              value={name}
              checked={value === name}
              disabled={isDisabled?.(name) === true}
              onChange={() => onChange(name)}
            />
            <span>{text}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
