/** Who banks here when the bank opens. All of it is made up. */

export const CURRENCY = "EUR";

export interface Account {
  readonly id: string;
  readonly name: string;
  /** What is in it when the bank opens, in cents. */
  readonly openingCents: number;
}

export interface Customer {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  /** Signs in to the mobile app. */
  readonly pin: string;
  /** ISO date. */
  readonly memberSince: string;
  readonly accounts: readonly Account[];
}

export const CUSTOMERS: readonly Customer[] = [
  {
    id: "mara",
    name: "Mara Lindqvist",
    email: "mara@harbour.example",
    pin: "2580",
    memberSince: "2019-04-02",
    accounts: [
      { id: "40021001", name: "Everyday", openingCents: 248_075 },
      { id: "40021002", name: "Savings", openingCents: 1_260_000 },
      { id: "40021003", name: "Travel", openingCents: 31_540 },
    ],
  },
  {
    id: "jonas",
    name: "Jonas Weber",
    email: "jonas@harbour.example",
    pin: "1470",
    memberSince: "2021-11-15",
    accounts: [{ id: "40030001", name: "Everyday", openingCents: 92_310 }],
  },
  {
    id: "priya",
    name: "Priya Raman",
    email: "priya@harbour.example",
    pin: "3690",
    memberSince: "2023-06-30",
    accounts: [
      { id: "40047001", name: "Everyday", openingCents: 505_000 },
      { id: "40047002", name: "Studio", openingCents: 78_900 },
    ],
  },
];
