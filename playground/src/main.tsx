/** Entry of the page: the worker first, since it takes longest, then the state from the address, then what is seen. */
import { render } from "preact";
import { App } from "./app/app.js";
import { isFileAbove } from "./app/drop-hint.js";
import { isEmbedded } from "./app/embed.js";
import { acceptDrops, openServedFile } from "./app/files.js";
import { isHelpOpen } from "./app/help.js";
import { bindKeys, followKeys } from "./app/keys.js";
import { followTheme } from "./app/theme.js";
import { complain } from "./app/toasts.js";
import { followAddress } from "./state/store.js";
import { startWorker } from "./worker/client.js";

startWorker(complain);
followTheme();
followKeys();
bindKeys([{ key: "?", what: "this help", run: () => (isHelpOpen.value = true) }]);
acceptDrops(isFileAbove);
await followAddress(complain);
const root = document.getElementById("app");
if (root !== null) render(<App isEmbedded={isEmbedded()} />, root);
await openServedFile();
