"""What people of a shop write: associates when they close a request, shoppers under a score."""

NOTES: dict[str, tuple[str, ...]] = {
    "helped": (
        "Needed the blue jacket in M. Found one on the mannequin.",
        "Second pair, one size up. Took both.",
        "Zip stuck; got it open.",
        "Wanted to know if it can be washed at 40. It can.",
        "Looked for the trousers from the window, last pair in 38 was at the tills.",
        "Held the pram while she tried on the coat.",
        "Gift, did not know the size. Took a voucher in the end.",
        "Compared three raincoats with him. Took the cheapest.",
        "Price on the shelf was wrong (39.90, till says 49.90). Gave the lower one, told Nadia.",
        "Card was declined twice, paid in cash.",
        "Receipt was on the phone, return done.",
        "Only Catalan, no problem.",
        "Parcel was under the other name.",
        "Curtain of cabin 3 had come off its rail, hung it up again.",
    ),
    "referred": (
        "Alterations are upstairs, walked him there.",
        "Online order, sent to the collection desk.",
        "Wanted the shoe shop next door.",
        "Complaint about a delivery: gave her the number of customer service.",
        "Over 14 days, sent to Nadia for the return.",
    ),
    "not-available": (
        "No 44 left in the shoes, next delivery Thursday.",
        "Sold out in green, not on the web either. Disappointed.",
        "We do not stock that brand any more. Third time this week.",
        "No cabin free for ten minutes, did not want to wait.",
        "Till 2 does not take that voucher. Annoyed, rightly.",
    ),
    "gone": (
        "Nobody there when I came.",
        "Cabin empty, clothes left on the hook.",
        "Said at the next till that he had left.",
    ),
    "false-alarm": ("Child playing with the buttons.", "Pressed by mistake, was looking for the light."),
    "handled": (
        "Two men at the perfumes, left when I came. Wrote the times down.",
        "Argument about a place in the queue. Both calm now.",
        "Bag left by the door, owner came back for it.",
        "Shoplifter, stopped at the exit with Omar. Police called, report filed.",
    ),
}
PRAISE = (
    "Very quick, thank you!",
    "The young man found my size at once.",
    "Kind and patient with my mother.",
    "She spoke Catalan with me. Gràcies!",
    "Came before I had even turned round.",
)
COMPLAINTS = (
    "Waited far too long in the cabin with nothing on.",
    "Nobody came, I got dressed again and went myself.",
    "Rude. He told me to look for myself.",
    "Three people at the tills and none would open a second one.",
    "They said two minutes. It was ten.",
    "The fitting rooms are dirty.",
    "The price at the till was not the price on the label!",
    "Sense talla, i ningú no sabia quan arribarà.",
)
MISSED = (
    "Nobody came.",
    "I pressed twice and stood there like a fool.",
    "Left without buying. Two minutes is too long.",
)
