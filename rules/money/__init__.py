"""Rules of money: what is due, when it is drawn, what a return means, what an export contains."""
