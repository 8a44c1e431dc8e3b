import type { JSX } from "preact";
import { shareLink } from "../state/store.js";
import { isHelpOpen } from "./help.js";

/** The way from an embedded page to the whole one, as it is now. */
export function EmbedFooter(): JSX.Element {
  const follow = (event: MouseEvent): void => {
    event.preventDefault();
    void shareLink().then((link) => window.open(link, "_blank", "noopener"));
  };
  return (
    <footer class="embed-footer">
      <button type="button" class="link" onClick={() => (isHelpOpen.value = true)}>
        Help and limits
      </button>
      <a href={location.pathname} target="_blank" rel="noopener" onClick={follow}>
        Open in the pte-engine playground ↗
      </a>
    </footer>
  );
}

/** Tells whether the page is part of another one. */
export function isEmbedded(): boolean {
  return new URLSearchParams(location.search).get("embed") === "1";
}
