/** The page around the views. */
import { useSignal } from "@preact/signals";
import type { ComponentType, JSX } from "preact";
import { useEffect } from "preact/hooks";
import { state } from "../state/store.js";
import { DropHint } from "./drop-hint.js";
import { EmbedFooter } from "./embed.js";
import { Header } from "./header.js";
import { HelpDialog } from "./help.js";
import { ToastRegion } from "./toast-region.js";
import { complain } from "./toasts.js";
import { type ViewEntry, VIEWS } from "./views.js";

/** The whole page. Embedded in another one it has no header. */
export function App({ isEmbedded }: { readonly isEmbedded: boolean }): JSX.Element {
  const view = VIEWS.find(({ id }) => id === state.view.value) ?? VIEWS[0];
  return (
    <div class={isEmbedded ? "app embedded" : "app"}>
      {!isEmbedded && <Header />}
      <main id="view" tabIndex={-1}>
        {view !== undefined && <View key={view.id} view={view} />}
      </main>
      {isEmbedded && <EmbedFooter />}
      <HelpDialog />
      <DropHint />
      <ToastRegion />
    </div>
  );
}

/** A view, which may have to be loaded first. */
function View({ view }: { readonly view: ViewEntry }): JSX.Element | null {
  const { component } = view;
  const loaded = useSignal<ComponentType | null>("ready" in component ? component.ready : null);
  useEffect(() => {
    if ("load" in component) component.load().then((found) => (loaded.value = found), complain);
  }, []);
  const Content = loaded.value;
  return Content === null ? null : <Content />;
}
