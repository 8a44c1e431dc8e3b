/** Light or dark: as the system has it, or as the reader chose here. */
import { effect, signal, type Signal } from "@preact/signals";

/** The two themes. */
export type Theme = "light" | "dark";

const KEY = "pte-playground-theme";

/** What the reader chose; null follows the system. */
const chosen: Signal<Theme | null> = signal(readChoice());
const systemIsDark: Signal<boolean> = signal(false);

/** Returns the theme that the page has now. Reading it in a component follows changes. */
export function theme(): Theme {
  return chosen.value ?? (systemIsDark.value ? "dark" : "light");
}

/** Changes to the other theme, and remembers it. */
export function toggleTheme(): void {
  chosen.value = theme() === "dark" ? "light" : "dark";
  try {
    localStorage.setItem(KEY, chosen.value);
  } catch {
    // storage is denied, in an embedded page for instance: the choice lasts as long as the page
  }
}

/** Follows the system's theme, and shows the choice to the style sheet. */
export function followTheme(): void {
  const query = matchMedia("(prefers-color-scheme: dark)");
  systemIsDark.value = query.matches;
  query.addEventListener("change", () => (systemIsDark.value = query.matches));
  effect(() => {
    document.documentElement.dataset["theme"] = theme();
  });
}

function readChoice(): Theme | null {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : null;
  } catch {
    return null;
  }
}
