-- One checkout in one statement: everything an order is made of, or nothing (docs/adr/0010-checkout-in-sql.md).
--
-- The rows of orders are made in Python and written as they come; what depends on the moment is decided here, in the
-- order of the locks: the key, the device, the coupon, the stock levels one by one by primary key.
--
-- A change of this file takes a new migration that runs it again; tests/orders/oracle.py says the same in Python.

CREATE OR REPLACE FUNCTION orders_new_id() RETURNS uuid LANGUAGE sql VOLATILE AS $$
    -- A UUIDv7, as core.ids.new_id makes them.
    SELECT encode(
        set_bit(
            set_bit(
                overlay(
                    uuid_send(gen_random_uuid())
                    PLACING substring(int8send(floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
                    FROM 1 FOR 6
                ), 52, 1
            ), 53, 1
        ), 'hex'
    )::uuid
$$;

-- asked     menu_version; key {id, principal, key, status}; most_open or null; the rows "order", "lines", "slots",
--           "options", "discounts", "history" and "events", column by column; coupon {id, use_id} or null; products
--           {id: units}; level_event {type, version}: how an event of a stock level is called.
-- Returns   {"levels": [{id, item, version, free, held}], "flips": a product can be made no more}
--           or {"refused": "key" | "menu" | "open" | "coupon" | "stock"}, for the caller to roll back; "stock" comes with
--           "short": [{product, available}].
CREATE OR REPLACE FUNCTION orders_checkout(asked jsonb, request_hash bytea, answer bytea) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    placed orders_order;
    need record;
    now_free integer;
    now_version integer;
    levels jsonb := '[]';
    flips boolean := false;
    short uuid[] := '{}';
BEGIN
    -- The row's own lock, taken early: a column added between making the row and writing it would be one too many.
    LOCK TABLE orders_order IN ROW EXCLUSIVE MODE;
    placed := jsonb_populate_record(
        -- a web process of the last release knows of neither
        NULL::orders_order, '{"packaging_fee": 0, "release": ""}' || (asked -> 'order')
    );

    INSERT INTO core_idempotencykey (id, principal, key, request_hash, status, body, created_at)
    VALUES (
        (asked #>> '{key,id}')::uuid, asked #>> '{key,principal}', asked #>> '{key,key}', request_hash,
        (asked #>> '{key,status}')::smallint, answer, now()
    )
    ON CONFLICT (principal, key) DO NOTHING;
    IF NOT FOUND THEN
        RETURN '{"refused": "key"}';
    END IF;

    IF (asked ->> 'menu_version')::bigint
       <> coalesce((SELECT menu.value FROM catalog_menuversion menu WHERE menu.store_id = placed.store_id), 0) THEN
        RETURN '{"refused": "menu"}';
    END IF;

    IF asked ->> 'most_open' IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock(hashtextextended('orders.open:' || placed.placed_by_id, 0));
        IF (asked ->> 'most_open')::bigint <= (
            SELECT count(*) FROM orders_order waiting
            WHERE waiting.placed_by_id = placed.placed_by_id AND waiting.placed_by_kind = placed.placed_by_kind
              AND waiting.status = 0 AND waiting.expires_at > placed.placed_at  -- 0: awaiting_payment, as the index says
        ) THEN
            RETURN '{"refused": "open"}';
        END IF;
    END IF;

    INSERT INTO orders_order SELECT placed.*;
    INSERT INTO orders_orderline SELECT * FROM jsonb_populate_recordset(
        jsonb_populate_record(NULL::orders_orderline, '{"needs_release": false}'), asked -> 'lines'
    );
    IF asked -> 'slots' <> '[]' THEN
        INSERT INTO orders_orderslot SELECT * FROM jsonb_populate_recordset(NULL::orders_orderslot, asked -> 'slots');
    END IF;
    IF asked -> 'options' <> '[]' THEN
        INSERT INTO orders_orderlineoption
        SELECT * FROM jsonb_populate_recordset(NULL::orders_orderlineoption, asked -> 'options');
    END IF;
    IF asked -> 'discounts' <> '[]' THEN
        INSERT INTO orders_orderdiscount
        SELECT * FROM jsonb_populate_recordset(NULL::orders_orderdiscount, asked -> 'discounts');
    END IF;
    INSERT INTO orders_statuschange
    SELECT * FROM jsonb_populate_record(NULL::orders_statuschange, asked -> 'history');
    INSERT INTO core_storedevent SELECT * FROM jsonb_populate_recordset(NULL::core_storedevent, asked -> 'events');

    IF asked ->> 'coupon' IS NOT NULL THEN
        UPDATE promotions_coupon coupon SET used = coupon.used + 1
        WHERE coupon.id = (asked #>> '{coupon,id}')::uuid AND coupon.active
          AND (coupon.use_limit IS NULL OR coupon.used < coupon.use_limit);
        IF NOT FOUND THEN
            RETURN '{"refused": "coupon"}';
        END IF;
        INSERT INTO promotions_couponuse (id, coupon_id, order_id, used_at, returned_at)
        VALUES (
            (asked #>> '{coupon,use_id}')::uuid, (asked #>> '{coupon,id}')::uuid, placed.id, placed.placed_at, NULL
        );
    END IF;

    -- One UPDATE a level, never locked and changed in one common table expression: that deadlocked.
    FOR need IN
        SELECT wanted.item_id, wanted.quantity, level.id AS level_id
        FROM (
            SELECT recipe.item_id, sum(recipe.quantity * made.units::bigint)::bigint AS quantity
            FROM jsonb_each_text(asked -> 'products') AS made (product, units)
            JOIN inventory_recipeline recipe ON recipe.product_id = made.product::uuid
            GROUP BY recipe.item_id
        ) wanted
        LEFT JOIN inventory_stocklevel level
          ON level.store_id = placed.store_id AND level.item_id = wanted.item_id
        ORDER BY level.id
    LOOP
        UPDATE inventory_stocklevel level
        SET reserved = level.reserved + need.quantity, version = level.version + 1
        WHERE level.id = need.level_id AND level.on_hand - level.reserved >= need.quantity
        RETURNING level.on_hand - level.reserved, level.version INTO now_free, now_version;
        IF NOT FOUND THEN
            short := short || need.item_id;
            CONTINUE;
        END IF;
        INSERT INTO inventory_reservation
            (id, order_id, store_id, item_id, quantity, state, made_at, ended_at)
        VALUES (
            orders_new_id(), placed.id, placed.store_id, need.item_id, need.quantity, 'held', placed.placed_at, NULL
        );
        INSERT INTO core_storedevent
            (id, type, version, occurred_at, store_id, subject_id, seq, correlation_id, payload, dispatched_at)
        VALUES (
            orders_new_id(), asked #>> '{level_event,type}', (asked #>> '{level_event,version}')::smallint,
            placed.placed_at, placed.store_id, need.level_id, now_version, asked #>> '{events,0,correlation_id}',
            jsonb_build_object('item', need.item_id, 'quantity', now_free), NULL
        );
        levels := levels || jsonb_build_object(
            'id', need.level_id, 'item', need.item_id, 'version', now_version,
            'free', now_free, 'held', need.quantity
        );
        flips := flips OR EXISTS (
            SELECT FROM inventory_recipeline recipe
            WHERE recipe.item_id = need.item_id
              AND recipe.quantity > now_free AND recipe.quantity <= now_free + need.quantity
        );
    END LOOP;
    IF short = '{}' THEN
        RETURN jsonb_build_object('levels', levels, 'flips', flips);
    END IF;

    -- How many could still be had, without this order's own holds: the short ones have none.
    RETURN jsonb_build_object('refused', 'stock', 'short', (
        SELECT jsonb_agg(
            jsonb_build_object(
                'product', recipe.product_id,
                'available', greatest(coalesce(level.on_hand - level.reserved, 0), 0) / recipe.quantity
            ) ORDER BY recipe.id
        )
        FROM jsonb_each_text(asked -> 'products') AS made (product, units)
        JOIN inventory_recipeline recipe ON recipe.product_id = made.product::uuid AND recipe.item_id = ANY (short)
        LEFT JOIN inventory_stocklevel level ON level.store_id = placed.store_id AND level.item_id = recipe.item_id
    ));
END
$$;
