import type { JSX } from "preact";
import { dismiss, type Toast, toasts } from "./toasts.js";

/** Where messages appear. The regions are there before the messages, as screen readers need it. */
export function ToastRegion(): JSX.Element {
  const of = (kind: Toast["kind"]): JSX.Element[] =>
    toasts.value.filter((toast) => toast.kind === kind).map((toast) => <Message key={toast.id} toast={toast} />);
  return (
    <div class="toasts">
      <div role="alert">{of("complaint")}</div>
      <div role="status">{of("note")}</div>
    </div>
  );
}

function Message({ toast }: { readonly toast: Toast }): JSX.Element {
  return (
    <div class={`toast ${toast.kind}`}>
      <p>{toast.text}</p>
      <button type="button" class="button icon" aria-label="Dismiss" onClick={() => dismiss(toast.id)}>
        ×
      </button>
    </div>
  );
}
