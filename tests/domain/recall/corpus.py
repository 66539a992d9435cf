"""A help desk's passages, and two questions on each: one in the passage's own words, one in others.

Written for these tests. Passages of one subject are alike, so that finding the subject is not enough.
"""

from __future__ import annotations

from typing import Final

PASSAGES: Final[dict[str, tuple[str, str, str]]] = {
    # passage, a question in its words, a question in other words
    "refund": (
        "Refunds are paid back to the original payment method within five working days after we approve the return. "
        "Shipping fees are not refunded unless the item arrived damaged.",
        "how many working days until a refund is paid back",
        "when do I get my money returned to my card",
    ),
    "return": (
        "You may send an item back within thirty days of delivery. Print the label from your order page, put it on "
        "the box and hand it over at any post office.",
        "where do I print the label to send an item back",
        "I changed my mind about a purchase and want to give it back",
    ),
    "exchange": (
        "To swap a garment for another size, order the new size first and return the old one. The price difference "
        "is credited automatically.",
        "swap a garment for another size",
        "the shirt is too small, can I get a bigger one instead",
    ),
    "tracking": (
        "As soon as the warehouse hands the parcel to the carrier you receive a tracking number by email. It may take "
        "a day before the first scan shows.",
        "when do I receive the tracking number for my parcel",
        "I cannot see where my package currently is",
    ),
    "late": (
        "If a delivery is more than three days overdue, open a case with the carrier from the order page. We refund "
        "the shipping fee when the guaranteed date was missed.",
        "open a case for an overdue delivery",
        "my order still has not shown up, what can I do",
    ),
    "address": (
        "The delivery address can be changed until the order is packed. After that, the carrier's redirect service is "
        "the only way.",
        "change the delivery address of an order",
        "I moved house after buying something from you",
    ),
    "invoice": (
        "Invoices are found under Billing, one PDF for each month. Add your VAT number in the company profile and it "
        "appears on all later documents.",
        "where are invoices and how do I add a VAT number",
        "my accountant needs a document with our tax id on it",
    ),
    "twice": (
        "A charge that appears twice is mostly an authorisation that the bank releases after two days. If both are "
        "still there after a week, send us the last four digits of the card.",
        "a charge appears twice on my card",
        "you took the money from my account two times",
    ),
    "declined": (
        "A declined card is usually blocked for online purchases. Ask your bank to allow them, or choose another way "
        "of paying at checkout.",
        "my card was declined at checkout",
        "payment does not go through when I try to buy",
    ),
    "coupon": (
        "One voucher code may be used per order, and only before paying. Codes cannot be combined "
        "with sale prices.",
        "can a voucher code be combined with sale prices",
        "the discount I was promised is not accepted",
    ),
    "password": (
        "Forgot your password? Choose Reset on the sign-in page. The link in the email works once "
        "and for one hour.",
        "reset a forgotten password",
        "I no longer know my login credentials",
    ),
    "locked": (
        "After ten wrong attempts an account is locked for an hour. An administrator of your team "
        "can unlock it at once.",
        "account locked after wrong attempts",
        "it will not let me in any more because I mistyped too often",
    ),
    "twofactor": (
        "Two-factor authentication is switched on under Security. Keep the recovery codes in a safe place: they are "
        "the only way in when the phone is lost.",
        "recovery codes for two-factor authentication",
        "I lost my phone and cannot confirm that it is me",
    ),
    "sso": (
        "Single sign-on with SAML is part of the enterprise plan. Upload the metadata of your identity provider and "
        "map the email attribute.",
        "set up SAML single sign-on with an identity provider",
        "employees should log in with their corporate account",
    ),
    "email": (
        "Your email address is changed in the profile. We write to the old and to the new address, and the change "
        "takes effect when both have confirmed.",
        "change the email address in the profile",
        "I have a new mailbox and want your messages there",
    ),
    "delete": (
        "Deleting an account removes all projects, files and comments after fourteen days. Until then signing in "
        "again brings everything back.",
        "deleting an account and all its files",
        "please erase everything you know about me",
    ),
    "export": (
        "All of your data can be downloaded as an archive under Privacy. Large archives take some hours, and we mail "
        "you a link when they are ready.",
        "download all data as an archive",
        "I want a copy of my information to take elsewhere",
    ),
    "upgrade": (
        "Moving to a larger plan takes effect at once. What is left of the current month is "
        "credited against the new price.",
        "moving to a larger plan",
        "we are growing and need more seats and features",
    ),
    "cancel": (
        "A subscription is cancelled under Billing and runs until the end of the period that was paid. There is no "
        "notice to keep.",
        "cancel the subscription at the end of the period",
        "I do not want to pay for this service any longer",
    ),
    "trial": (
        "The trial lasts fourteen days and needs no card. When it ends, the workspace becomes read-only and nothing "
        "is deleted for ninety days.",
        "what happens when the trial ends",
        "can I test it without giving payment details",
    ),
    "annual": (
        "Paying once a year costs ten months' price. Switching from monthly to annual is possible "
        "at any time.",
        "switch from monthly to annual billing",
        "is it cheaper if I commit for longer",
    ),
    "invite": (
        "Invite colleagues from the Members page by email. Guests see only the projects that they "
        "were added to.",
        "invite colleagues by email",
        "how do I give my coworkers access",
    ),
    "roles": (
        "Viewers read, editors write, administrators manage members and billing. A role is given for the whole "
        "workspace or for one project.",
        "which role can manage members and billing",
        "someone should be able to look but not touch anything",
    ),
    "limit": (
        "The programming interface takes one hundred requests a minute for each key. Beyond that it answers 429 and "
        "says when to try again.",
        "how many requests a minute does a key take",
        "our script is being throttled by your server",
    ),
    "webhook": (
        "Webhooks are signed with a secret. Compare the signature of the body before you trust it, and answer within "
        "ten seconds or we try again.",
        "verify the signature of webhooks",
        "how can I be sure a notification to my endpoint is really from you",
    ),
    "apikey": (
        "Keys are created under Developers and shown once. A key that has leaked is revoked there, and stops working "
        "within a minute.",
        "revoke a key that has leaked",
        "I accidentally published our secret token on the internet",
    ),
    "slow": (
        "Dashboards with more than a million rows load faster when a date range is set. Old widgets "
        "can be archived.",
        "dashboards with many rows load slowly",
        "the overview page takes forever to open",
    ),
    "offline": (
        "The mobile app keeps the last thirty documents for reading without a connection. Edits are sent when the "
        "phone is online again.",
        "read documents in the mobile app without a connection",
        "can I work while I am on a plane",
    ),
    "crash": (
        "When the desktop program closes by itself right after the start, remove its cache folder and update the "
        "graphics driver.",
        "desktop program closes right after the start",
        "the application keeps crashing on my computer",
    ),
    "print": (
        "Printing cuts off wide tables unless landscape is chosen. Set the scale to fit the page width.",
        "printing cuts off wide tables",
        "half of the columns are missing on paper",
    ),
    "import": (
        "Spreadsheets are imported as CSV with a header line. Dates have to be written as year, month, day; rows that "
        "cannot be read are listed at the end.",
        "import a CSV spreadsheet with a header line",
        "bring my existing records over from Excel",
    ),
    "backup": (
        "Backups are made every night and kept for a month. Restoring one brings the whole "
        "workspace back to that night.",
        "restore a nightly backup of the workspace",
        "someone removed important things yesterday, can we undo that",
    ),
    "language": (
        "The interface speaks nine languages. Each person chooses their own under Preferences; "
        "documents are not translated.",
        "choose the language of the interface",
        "menus are in English but I prefer German",
    ),
    "dark": (
        "A dark theme is under Appearance. It follows the system's setting unless told otherwise.",
        "switch to the dark theme",
        "the screen is too bright for my eyes at night",
    ),
    "notify": (
        "Notifications are sent at once, hourly or never, for each project. Mentions always come at once.",
        "how often are notifications sent for each project",
        "I receive far too many messages from you",
    ),
    "warranty": (
        "Devices have two years of warranty from the day of delivery. Batteries and damage by water "
        "are excluded.",
        "how many years of warranty do devices have",
        "it broke after eighteen months, will you repair it for free",
    ),
    "repair": (
        "A repair takes ten working days. We send a replacement device for that time when the "
        "defect is covered.",
        "how long does a repair of a device take",
        "what do I use while mine is being fixed",
    ),
    "battery": (
        "To make the battery last, keep the charge between twenty and eighty per cent and avoid heat.",
        "make the battery last longer",
        "it runs out of power before the day is over",
    ),
    "pairing": (
        "Hold the button for five seconds until the light blinks blue, then choose the headset in "
        "the Bluetooth list.",
        "hold the button until the light blinks blue for Bluetooth",
        "my headphones do not connect to the laptop",
    ),
    "firmware": (
        "New firmware is installed over night while the device is charging. A version that fails is "
        "rolled back by itself.",
        "when is new firmware installed",
        "how do I get the newest software onto the gadget",
    ),
}
