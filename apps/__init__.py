"""The apps, top to bottom: kiosk, kitchen; payments; orders; inventory, promotions; catalog; stores; core; contracts."""
