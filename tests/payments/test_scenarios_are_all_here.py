"""What can happen between a guest's money and the kitchen, as a numbered list, and where each of it is tried.

All of these tests speak real HTTP with the simulated provider, and each scenario ends with the books being checked.
"""

import inspect
from importlib import import_module

import pytest

SCENARIOS: dict[int, tuple[str, tuple[str, ...]]] = {
    1: (
        "paid: the kitchen gets the order once",
        (
            "payments.test_webhook_scenarios::test_paid_order_reaches_the_kitchen_once",
            "blackbox.test_one_order::test_order_is_paid_cooked_and_handed_over",
        ),
    ),
    2: (
        "notification lost: found by the next question",
        (
            "payments.test_webhook_scenarios::test_lost_webhook_is_made_good_by_the_next_question",
            "blackbox.test_money_in_trouble::test_every_notification_lost_and_every_payment_found",
        ),
    ),
    3: (
        "notification many times at once: one step, one event",
        (
            "payments.test_webhook_scenarios::test_ten_copies_at_once_pay_once",
            "blackbox.test_known_faults::test_paid_order_is_one_ticket_however_often_it_is_announced",
        ),
    ),
    4: (
        "expired told after processed: stays paid",
        ("payments.test_webhook_scenarios::test_news_told_backwards_never_takes_a_payment_back",),
    ),
    5: (
        "forged payment: nothing changes",
        (
            "payments.test_webhook_scenarios::test_forged_payment_is_not_believed",
            "blackbox.test_known_faults::test_webhook_that_says_paid_is_not_believed",
        ),
    ),
    6: (
        "flood of unknown ids: nobody is called",
        (
            "payments.test_webhook_scenarios::test_thousand_unknown_ids_call_nobody",
            "blackbox.test_money_in_trouble::test_flood_of_unknown_ids_calls_nobody_and_checkout_goes_on",
            "blackbox.test_money_in_trouble::test_hostile_notifications_fail_nowhere_change_nothing_and_call_nobody",
        ),
    ),
    7: (
        "create done, its answer lost: same key, one order there",
        (
            "payments.test_trouble::test_create_without_an_answer_is_sent_again_and_makes_one_order",
            "blackbox.test_money_in_trouble::test_lost_answer_of_create_makes_one_code_that_is_paid_once",
            "blackbox.test_money_in_trouble::test_web_killed_while_the_code_is_made_makes_one_code",
        ),
    ),
    8: (
        "create refused for now: tried again when told, never slept",
        (
            "payments.test_way::test_two_503_and_then_the_code",
            "payments.test_way::test_retry_after_is_kept_to_and_never_slept",
            "payments.test_trouble::test_create_without_an_answer_is_sent_again_and_makes_one_order",
        ),
    ),
    9: (
        "provider hangs: guests are answered, the way is shut, the counter offered, and it comes back",
        (
            "payments.test_way::test_provider_in_trouble_shuts_the_way_answers_at_once_and_comes_back",
            "blackbox.test_money_in_trouble::test_hanging_provider_keeps_no_guest_waiting_and_comes_back",
            "e2e.test_provider_away::test_kiosk_offers_the_counter_and_recovers_by_itself",
        ),
    ),
    10: (
        "HTML and half a JSON for an answer",
        (
            "payments.test_trouble::test_create_without_an_answer_is_sent_again_and_makes_one_order",
            "payments.test_trouble::test_question_without_an_answer_is_asked_again",
        ),
    ),
    11: (
        "expired by the provider's clock: goods free once, later news changes nothing",
        ("payments.test_webhook_scenarios::test_expired_code_frees_its_goods_once_and_later_news_changes_nothing",),
    ),
    12: (
        "paid while it is being cancelled: stays cancelled, money back once",
        ("payments.test_late_money::test_payment_during_the_cancel_goes_back_once",),
    ),
    13: (
        "paid after it expired: revived, or money back",
        (
            "payments.test_late_money::test_expired_order_whose_goods_are_there_comes_back_to_life",
            "payments.test_late_money::test_expired_order_whose_goods_are_gone_gets_its_money_back",
        ),
    ),
    14: (
        "another amount: to staff, never to the kitchen",
        (
            "payments.test_settle::test_wrong_amount_goes_to_staff_and_not_to_the_kitchen",
            "blackbox.test_known_faults::test_one_centavo_does_not_pay_an_order",
        ),
    ),
    15: (
        "full refund; two parts and a third too much; parts not offered",
        (
            "payments.test_refunds::test_full_refund_has_no_body_and_the_order_goes_on",
            "payments.test_refunds::test_two_parts_and_a_third_that_is_too_much",
            "payments.test_refunds::test_part_that_the_provider_does_not_do_is_for_staff",
        ),
    ),
    16: (
        "refund done, its answer lost: one refund",
        (
            "payments.test_refunds::test_refund_without_an_answer_is_sent_again_and_made_once",
            "blackbox.test_money_in_trouble::test_lost_answer_of_refund_gives_the_money_back_once",
        ),
    ),
    17: (
        "refund that takes its time",
        ("payments.test_refunds::test_slow_refund_is_asked_about_until_it_is_there",),
    ),
    18: (
        "key known there with another body: settled by what the provider lists",
        ("payments.test_refunds::test_key_that_the_provider_knows_with_other_bytes_is_settled_by_its_list",),
    ),
    19: (
        "wrong token: an alert and no storm",
        (
            "payments.test_way::test_refused_token_shuts_the_way_and_is_not_tried_again_for_a_minute",
            "payments.test_refunds::test_wrong_credentials_make_no_storm_and_lose_nothing",
        ),
    ),
    20: (
        "only merchant orders are told: paid all the same",
        ("payments.test_webhook_scenarios::test_only_merchant_orders_are_told_and_the_order_is_paid",),
    ),
    21: (
        "notification answered too late: told again, paid once",
        (
            "payments.test_webhook_scenarios::test_slow_handler_is_tried_again_and_pays_once",
            "payments.test_webhook_scenarios::test_handler_that_fails_is_tried_again_and_pays_once",
        ),
    ),
    22: (
        "every way of signing is understood, and none of the strange ones is an error",
        (
            "payments.test_webhook_scenarios::test_both_ways_of_signing_pass_enforce",
            "payments.test_signatures::test_vector_is_valid_and_nothing_beside_it",
            "payments.test_webhook_scenarios::test_hostile_notification_is_taken_and_moves_nothing",
        ),
    ),
    23: (
        "secrets in rotation: two are accepted",
        (
            "payments.test_webhook_scenarios::test_both_ways_of_signing_pass_enforce",
            "payments.test_signatures::test_any_of_several_secrets_will_do",
        ),
    ),
    24: (
        "cart of twelve lines, of which the provider takes ten",
        ("payments.test_charge::test_long_cart_is_paid_although_the_provider_takes_ten_items",),
    ),
    25: (
        "fifty kiosks, notifications lost and doubled: all paid, sums equal",
        (
            "blackbox.test_money_in_trouble::test_fifty_kiosks_with_notifications_lost_and_doubled",
            "blackbox.test_money_in_trouble::test_account_that_never_hears_of_a_payment_still_gets_them_all",
        ),
    ),
}
BOOKS_CHECKED = (
    "broken_rules() == {}",
    "shop.paid_once(",
    "shop.untouched(",
    'audit(stack)["ok"]',
    'audit(shop.stack)["ok"]',
)
BOOKS_CHECKED += ("outcome.is_right",)


def source_of(test: str) -> str:
    """Return the text of a test; fails where there is none of that name."""
    module, _, name = test.partition("::")
    return inspect.getsource(getattr(import_module(f"tests.{module}"), name))


def test_every_number_is_there() -> None:
    assert list(SCENARIOS) == list(range(1, 26))


@pytest.mark.parametrize("number", SCENARIOS)
def test_scenario_has_its_tests_and_ends_with_the_books(number: int) -> None:
    _, tests = SCENARIOS[number]
    texts = [source_of(test) for test in tests]
    assert any(check in text for text in texts for check in BOOKS_CHECKED)
