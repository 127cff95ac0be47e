from django.contrib.auth.models import User
from django.db import models
from shop.models import Order


class Book(models.Model):
    title = models.TextField()


def one():
    for user in list(User.objects.all()):  # FW101
        print(user)


def two():
    orders = list(Order.objects.select_related("customer"))  # FW101
    for order in orders:
        print(order)


def three():
    return sorted(Book.objects.all(), key=lambda book: book.title)  # FW101


def four():
    books = Book.objects.order_by("title")
    everything = tuple(books)  # FW101
    for book in everything:
        print(book)


class Report:
    queryset = Order.objects.all()

    def five(self):
        return [str(order) for order in list(self.queryset)]  # FW101
