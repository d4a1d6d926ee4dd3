/** The same journeys through every carrier of the engine. */
import { FRAMEWORKS } from "./frameworks.ts";
import { describeJourneys } from "./journey.ts";

for (const framework of FRAMEWORKS) describeJourneys(framework);
