/** Puts the page together. */
import { markBalancesOld, showAccounts } from "./accounts.js";
import { showCalls } from "./calls.js";
import { watchGuide } from "./guide.js";
import { watchProfile } from "./profile.js";
import { offerAccounts, watchTransfers } from "./transfer.js";

/** The bank has no log-in of its own: whoever opens the page is this customer. */
const USER_ID = "mara";

showCalls();
watchGuide();
watchProfile(USER_ID);
watchTransfers(markBalancesOld);
await showAccounts(USER_ID, offerAccounts);
