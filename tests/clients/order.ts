// Places an order with the types generated for TypeScript: node order.ts BASE_URL DEVICE_TOKEN prints its number and status.
// What is answered is typed: a name that the schema does not have does not compile.
import createClient from "openapi-fetch";
import type { paths } from "./schema";

const [baseUrl = "", token = ""] = process.argv.slice(2);
const client = createClient<paths>({ baseUrl, headers: { Authorization: `Device ${token}` } });

const menu = await client.GET("/api/v1/menu");
if (menu.data === undefined) throw new Error(menu.error?.code);
const plain = menu.data.categories
  .flatMap((category) => category.products)
  .find((product) => product.available && product.modifier_groups.length === 0 && product.kind === "single");
if (plain === undefined) throw new Error("nothing to order");

const placed = await client.POST("/api/v1/orders/checkout", {
  params: { header: { "Idempotency-Key": crypto.randomUUID() } },
  body: { items: [{ product: plain.id, quantity: 1 }], dining_option: "take_out" },
});
if (placed.data === undefined) throw new Error(placed.error.detail);

const paidAt: string | null = placed.data.paid_at;
if (paidAt !== null) throw new Error("paid already");

const path = { order_id: placed.data.id };
const standing = await client.GET("/api/v1/orders/{order_id}/status", { params: { path } });
if (standing.data === undefined) throw new Error(standing.error.detail);
console.log(placed.data.number, standing.data.status);
