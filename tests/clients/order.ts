// Places an order with the types generated for TypeScript: node order.ts BASE_URL DEVICE_TOKEN prints its number and status.
import createClient from "openapi-fetch";
import type { paths } from "./schema";

const [baseUrl = "", token = ""] = process.argv.slice(2);
const client = createClient<paths>({ baseUrl, headers: { Authorization: `Device ${token}` } });

type Product = { id: string; kind: string; available: boolean; modifier_groups: unknown[] };

const menu = await client.GET("/api/v1/menu");
const categories = (menu.data?.["categories"] ?? []) as { products: Product[] }[];
const plain = categories
  .flatMap((category) => category.products)
  .find((product) => product.available && product.modifier_groups.length === 0 && product.kind === "single");
if (plain === undefined) throw new Error("nothing to order");

const placed = await client.POST("/api/v1/orders/checkout", {
  params: { header: { "Idempotency-Key": crypto.randomUUID() } },
  body: { items: [{ product: plain.id, quantity: 1 }], dining_option: "take_out" },
});
if (placed.data === undefined) throw new Error(JSON.stringify(placed.error));

const id = String(placed.data["id"]);
const order = await client.GET("/api/v1/orders/{order_id}/status", { params: { path: { order_id: id } } });
console.log(String(placed.data["number"]), String(order.data?.["status"]));
