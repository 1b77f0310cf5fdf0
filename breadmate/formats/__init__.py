"""How dates are written in the back office, where Django's own form is not what our lists need."""
